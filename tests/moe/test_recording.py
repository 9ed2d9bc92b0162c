"""Recording a trace from a tiny random model of transformers; nothing is downloaded."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mec_moe_env.moe import load_gate_trace, save_gate_trace

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

EXAMPLES = Path(__file__).parents[2] / "examples"
SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "num_experts_per_tok": 2,
}


@pytest.fixture(scope="module")
def recording() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        yield importlib.import_module("record_gate_trace")
        del sys.modules["record_gate_trace"]


def mixtral() -> Any:
    return transformers.MixtralForCausalLM(
        transformers.MixtralConfig(**SIZES, num_local_experts=4, initializer_range=0.5)
    )


def qwen() -> Any:
    return transformers.Qwen2MoeForCausalLM(
        transformers.Qwen2MoeConfig(
            **SIZES, num_experts=6, moe_intermediate_size=8, shared_expert_intermediate_size=8
        )
    )


def batches(count: int) -> list[Any]:
    rng = torch.Generator().manual_seed(0)
    return [torch.randint(0, 50, (2, 5), generator=rng) for _ in range(count)]


@pytest.mark.parametrize(("build", "experts"), [(mixtral, 4), (qwen, 6)])
def test_recorded_scores_are_the_models_own(
    recording: Any, tmp_path: Path, build: Any, experts: int
) -> None:
    model, ids = build(), batches(3)
    gate = recording.record(model, ids)
    assert gate.shape == (3, 3, 10, experts)
    with torch.inference_mode():
        own = model(input_ids=ids[1], output_router_logits=True).router_logits
    expected = torch.stack([logits.reshape(10, experts).softmax(dim=1) for logits in own])
    np.testing.assert_allclose(gate[1], expected, atol=1e-6)
    save_gate_trace(tmp_path / "t.npz", gate, model="tiny")
    assert (load_gate_trace(tmp_path / "t.npz").gate == gate).all()


def test_hooks_are_removed(recording: Any) -> None:
    model = mixtral()
    recording.record(model, batches(1))
    assert not any(module._forward_hooks for module in recording.find_routers(model).values())


def test_probabilities_are_not_softmaxed_again(recording: Any) -> None:
    scores = torch.tensor([[0.7, 0.2, 0.1]])
    np.testing.assert_allclose(recording.to_scores((None, scores), 3), scores)
    np.testing.assert_allclose(recording.to_scores(scores.log() + 5, 3), scores, rtol=1e-5)
    assert recording.to_scores(torch.ones(3), 3) is None


def test_models_without_experts_are_refused(recording: Any) -> None:
    sizes = {name: size for name, size in SIZES.items() if name != "num_experts_per_tok"}
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes))
    with pytest.raises(ValueError, match="LlamaForCausalLM is no mixture-of-experts model"):
        recording.record(model, batches(1))


def test_batches_of_different_sizes_are_refused(recording: Any) -> None:
    with pytest.raises(ValueError, match="of one size"):
        recording.record(mixtral(), [batches(1)[0], batches(1)[0][:, :4]])
    with pytest.raises(ValueError, match="at least one"):
        recording.record(mixtral(), [])


def test_queries_are_cut_and_grouped(recording: Any, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("abcd\nab\nefghi\njkl\n")

    def tokenizer(line: str) -> dict[str, list[int]]:
        return {"input_ids": [ord(letter) for letter in line]}

    settings = recording.Arguments(prompts=str(tmp_path / "prompts.txt"), queries=1, tokens=3)
    rows = [batch.tolist() for batch in recording.read_queries(tokenizer, settings)]
    assert rows == [[[97, 98, 99]], [[101, 102, 103]], [[106, 107, 108]]]
    greedy = recording.Arguments(prompts=settings.prompts, queries=4, tokens=3)
    with pytest.raises(ValueError, match="at least 4 lines of at least 3 tokens, found 3"):
        recording.read_queries(tokenizer, greedy)
