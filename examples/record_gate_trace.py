"""Record a gate trace from a mixture-of-experts model of Hugging Face's transformers.

    pip install mec-moe-env transformers torch
    python examples/record_gate_trace.py --model Qwen/Qwen1.5-MoE-A2.7B --prompts prompts.txt \
        --output qwen.npz

One line of the file is one query; queries are cut to `--tokens` tokens and grouped into batches of
`--queries`, shorter queries are left out. Every router's scores are caught by a forward hook and
softmaxed over the experts, so that `mec_moe_env.moe.load_gate_trace` can replay them. From Python,
`record(model, batches)` does the same for a model object.

A router is a module named `gate` or `router` whose output holds one value per expert: Mixtral,
Qwen-MoE, OLMoE, Granite-MoE, Phi-MoE, DeepSeek, GPT-OSS, Jamba and others. A gate that is not a
softmax (DeepSeek-V3's sigmoid) is recorded as the softmax of its logits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mec_moe_agents import read_arguments
from numpy.typing import NDArray
from torch import Tensor, nn

from mec_moe_env.moe import save_gate_trace

ROUTER_NAMES = ("gate", "router")
EXPERT_COUNTS = ("num_local_experts", "num_experts", "n_routed_experts")


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    model: str = "Qwen/Qwen1.5-MoE-A2.7B"
    """Name on the hub or a local folder."""
    prompts: str = "prompts.txt"
    """Text file, one query a line."""
    output: str = "trace.npz"
    queries: int = 4
    """Queries in a batch."""
    tokens: int = 8
    """Tokens taken from each query."""


def number_of_experts(model: Any) -> int:
    """Return K as the model's configuration gives it.

    Raises:
        ValueError: the configuration names no number of experts.
    """
    config = model.config.get_text_config()
    for name in EXPERT_COUNTS:
        count = getattr(config, name, None)
        if isinstance(count, int) and count > 1:
            return count
    raise ValueError(
        f"{type(model).__name__} is no mixture-of-experts model: its configuration has none of "
        + ", ".join(EXPERT_COUNTS)
    )


def find_routers(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules named as routers, in the order of the layers."""
    return {
        name: module
        for name, module in model.named_modules()
        if name.rpartition(".")[2] in ROUTER_NAMES
    }


def to_scores(output: Any, experts: int) -> Tensor | None:
    """Return a router's scores, (tokens, K), or None if its output is not one value per expert.

    Routers return their logits, or a tuple that holds them; some return probabilities.
    """
    for part in output if isinstance(output, tuple) else (output,):
        # Beside the logits come indices and the weights of the chosen experts.
        if isinstance(part, Tensor) and part.ndim > 1 and part.shape[-1] == experts:
            values = part.detach().reshape(-1, experts).to("cpu", torch.float32)
            whole = (values.sum(dim=1) - 1).abs() < 1e-2
            if bool((values >= 0).all() and whole.all()):
                return values / values.sum(dim=1, keepdim=True)
            return values.softmax(dim=1)
    return None


@contextmanager
def watching(model: nn.Module, experts: int) -> Iterator[dict[str, Tensor]]:
    """Yield a dict that every forward pass fills with the scores of each router."""
    seen: dict[str, Tensor] = {}

    def watch(name: str, module: nn.Module) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            scores = to_scores(output, experts)
            if scores is not None:
                seen[name] = scores

        return module.register_forward_hook(hook)

    handles = [watch(name, module) for name, module in find_routers(model).items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def record(model: Any, batches: Iterable[Tensor]) -> NDArray[np.float32]:
    """Return the gate scores of a model, (B, L, tokens, K), softmaxed over the experts.

    Args:
        model: a transformers model with routers.
        batches: token ids, each (queries, length), all of the same shape and without padding.

    Raises:
        ValueError: the model has no router this script knows, or batches differ in size.
    """
    experts, recorded = number_of_experts(model), []
    model.eval()
    with torch.inference_mode(), watching(model, experts) as seen:
        for ids in batches:
            seen.clear()
            model(input_ids=ids.to(model.device), use_cache=False)
            if not seen:
                raise ValueError(
                    f"{type(model).__name__}: no module named {' or '.join(ROUTER_NAMES)} gave "
                    f"{experts} values per token"
                )
            recorded.append(torch.stack(list(seen.values())).numpy())
    shapes = {layers.shape for layers in recorded}
    if len(shapes) != 1:
        raise ValueError(f"batches must be of one size, and at least one: got {sorted(shapes)}")
    return np.stack(recorded)


def read_queries(tokenizer: Any, settings: Arguments) -> list[Tensor]:
    """Return full batches of token ids, (queries, tokens).

    Raises:
        ValueError: the file has too few queries that are long enough.
    """
    lines = Path(settings.prompts).read_text(encoding="utf-8").splitlines()
    encoded = [tokenizer(line)["input_ids"][: settings.tokens] for line in lines]
    rows = [ids for ids in encoded if len(ids) == settings.tokens]
    batches = len(rows) // settings.queries
    if batches == 0:
        raise ValueError(
            f"{settings.prompts}: expected at least {settings.queries} lines of at least "
            f"{settings.tokens} tokens, found {len(rows)}"
        )
    shape = (batches, settings.queries, settings.tokens)
    return list(torch.tensor(rows[: batches * settings.queries]).reshape(shape))


def main(settings: Arguments) -> None:
    """Load the model, record and save."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    batches = read_queries(AutoTokenizer.from_pretrained(settings.model), settings)
    model = AutoModelForCausalLM.from_pretrained(settings.model, dtype="auto")
    gate = record(model, batches)
    save_gate_trace(settings.output, gate, model=settings.model)
    print(f"saved {settings.output}: batches, layers, tokens, experts = {gate.shape}")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
