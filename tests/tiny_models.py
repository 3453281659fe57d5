"""Model folders of a few kilobytes with random weights, in the forms that users have on their disks."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

from llm.prompt import END_OF_TEXT, MARKERS, render_prompt, render_reply

SOMEBODYS_PATH = "C:\\Users\\somebody\\models\\polyglot_original"  # what the published adapter's JSON is like
SENTENCES = (
    render_prompt("나 내일 뭐하지", "내일 일정: 친구 만나기") + render_reply("내일은 친구를 만나기로 했잖아!"),
    render_prompt("안녕") + render_reply("안녕! 오늘은 무슨 얘기 할까? 😊"),
    render_prompt("내 이름은 민수야") + render_reply("반가워, 민수야!", "이름: 민수"),
    render_prompt("오늘 날씨 어때?") + render_reply("하늘이 맑아서 걷기 좋은 날이야~"),
    "hello world, 12345 67890 ⊂ ╋ ⑥ 漢字 “” https://www.example.com",
)


@functools.cache
def tokenizer(markers: bool = True) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer; without ``markers`` it has the published shape, whose markers are many tokens."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = ["<|unk|>", END_OF_TEXT, *(MARKERS if markers else ("<|sep|>",))]
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(SENTENCES * 3, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token=END_OF_TEXT, pad_token=END_OF_TEXT, unk_token="<|unk|>"
    )


def network(seed: int = 0, spare_rows: int = 6, hidden: int = 32) -> GPTNeoXForCausalLM:
    """A GPT-NeoX with random weights; like the published one it has more rows than its tokenizer has tokens."""
    torch.manual_seed(seed)
    config = GPTNeoXConfig(
        vocab_size=len(tokenizer()) + spare_rows,
        hidden_size=hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * hidden,
        max_position_embeddings=160,
        bos_token_id=1,
        eos_token_id=1,
    )
    return GPTNeoXForCausalLM(config).eval()


def save_base(folder: Path, seed: int = 0, markers: bool = True, shards: bool = False) -> Path:
    """A whole model with its tokenizer; with ``shards`` in several files with an index."""
    network(seed).save_pretrained(folder, max_shard_size="40KB" if shards else "1GB")
    tokenizer(markers).save_pretrained(folder)
    return folder


def save_adapter(folder: Path, base: Path, seed: int = 1, markers: bool = True) -> Path:
    """A LoRA adapter over ``base`` as its author's machine wrote it, with its tokenizer."""
    torch.manual_seed(seed)
    config = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules=["query_key_value"])
    adapted = get_peft_model(GPTNeoXForCausalLM.from_pretrained(base), config)
    for name, weight in adapted.named_parameters():
        if "lora_" in name:  # a fresh adapter changes nothing: B is zero
            torch.nn.init.normal_(weight, std=0.5)
    adapted.save_pretrained(folder)
    tokenizer(markers).save_pretrained(folder)
    written = folder / "adapter_config.json"
    fields = json.loads(written.read_text(encoding="utf-8")) | {"base_model_name_or_path": SOMEBODYS_PATH}
    written.write_text(json.dumps(fields), encoding="utf-8")
    return folder
