"""AdamW over the network's parameters, with float32 masters beneath bfloat16 weights.

Deviation from the textbook: weight decay acts on matrices only, not on biases and norms, as in most trainers of
language models.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel

from .errors import VarftError


class Optimizer:
    """Gradients in float32, AdamW (arXiv 1711.05101), clipping by global norm."""

    def __init__(self, network: PreTrainedModel) -> None:
        self._weights = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
        self._masters = {
            name: weight if weight.dtype == torch.float32 else weight.detach().float()
            for name, weight in self._weights.items()
        }
        matrices = [master for master in self._masters.values() if master.ndim >= 2]
        others = [master for master in self._masters.values() if master.ndim < 2]
        self._adam = torch.optim.AdamW(
            [{"params": matrices, "decays": True}, {"params": others, "decays": False}], foreach=True
        )

    def accumulate(self) -> None:
        """Adds bfloat16 gradients to float32 ones after each backward pass; float32 ones add up where they are."""
        for name, master in self._masters.items():
            weight = self._weights[name]
            if weight is master or weight.grad is None:
                continue
            master.grad = weight.grad.float() if master.grad is None else master.grad.add_(weight.grad)
            weight.grad = None

    def clear(self) -> None:
        """Drops all gradients."""
        for name, master in self._masters.items():
            master.grad = None
            self._weights[name].grad = None

    def step(self, request: dict[str, Any]) -> float:
        """One AdamW step at `learningRate`; returns the gradient norm before clipping, and clears the gradients.

        Raises `engine.no_gradient`, and `engine.nonfinite_gradient` with the weights untouched.
        """
        gradients = [master.grad for master in self._masters.values() if master.grad is not None]
        if not gradients:
            raise VarftError(
                "engine.no_gradient",
                "optim_step without a gradient",
                hint="Send forward_backward first; zero_grad drops what it gave.",
            )
        norm = torch.nn.utils.get_total_norm(gradients)
        if not torch.isfinite(norm):
            names = [
                name
                for name, master in self._masters.items()
                if master.grad is not None and not master.grad.isfinite().all()
            ]
            self.clear()
            raise VarftError(
                "engine.nonfinite_gradient",
                f"the gradient norm is {norm.item()}; {len(names)} of {len(self._masters)} parameters have non-finite"
                " gradients,"
                f" the first is {names[0] if names else '(none alone: the norm overflows)'}",
                hint="The weights are untouched and the gradients cleared: skip the batch, or lower the learning rate.",
                details={"gradNorm": str(norm.item()), "parameters": names[:20]},
            )
        if request["maxGradNorm"] > 0:
            masters = list(self._masters.values())
            torch.nn.utils.clip_grads_with_norm_(masters, request["maxGradNorm"], norm, foreach=True)
        for group in self._adam.param_groups:
            group["lr"] = request["learningRate"]
            group["betas"] = tuple(request["betas"])
            group["eps"] = request["eps"]
            group["weight_decay"] = request["weightDecay"] if group["decays"] else 0.0
        self._adam.step()
        self._write_back()
        self.clear()
        return norm.item()

    def state(self) -> dict[str, torch.Tensor]:
        """Everything the next step depends on besides the weights, by name:

        `<parameter>/step`, `/exp_avg`, `/exp_avg_sq`, `/master`.
        """
        tensors: dict[str, torch.Tensor] = {}
        for name, master in self._masters.items():
            for field, value in self._adam.state.get(master, {}).items():
                tensors[f"{name}/{field}"] = value.detach()
            if master is not self._weights[name]:
                tensors[f"{name}/master"] = master
        return tensors

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Takes over a `state()` after the weights were loaded; gradients are dropped."""
        self.clear()
        self._adam.state.clear()
        for name, master in self._masters.items():
            if master is not self._weights[name]:
                master.copy_(tensors.get(f"{name}/master", self._weights[name].detach().float()))
            state = {
                field: tensors[key]
                for field in ("step", "exp_avg", "exp_avg_sq")
                if (key := f"{name}/{field}") in tensors
            }
            if state:
                # AdamW keeps its counter on the CPU and its moments beside the parameter.
                self._adam.state[master] = {
                    k: v.clone() if k == "step" else v.to(master.device, copy=True) for k, v in state.items()
                }

    @torch.no_grad()
    def _write_back(self) -> None:
        for name, master in self._masters.items():
            if master is not self._weights[name]:
                self._weights[name].copy_(master)
