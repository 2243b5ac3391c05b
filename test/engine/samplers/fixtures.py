"""Writes settings.json: diffusers' numbers for scheduler settings that golden.json does not have.

    python test/engine/samplers/fixtures.py        (needs torch and diffusers; seconds)

The toy model and the noise are those of golden.json: latent of 8 numbers, x[i] = sin(1 + i) * init_noise_sigma,
model output 0.3 * scaled input + 0.05 * cos(i) + 0.0005 * t, k-th noise z[i] = sin(3 * i + 7 * k + 0.5).
"""

import inspect
import json
from pathlib import Path
from unittest.mock import patch

import diffusers
import torch

SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
V = {"prediction_type": "v_prediction"}
DDIM, PNDM, EULER, ANCESTRAL, DPM, LCM, TCD, UNIPC = (
    f"{name}Scheduler" for name in ("DDIM", "PNDM", "EulerDiscrete", "EulerAncestralDiscrete", "DPMSolverMultistep", "LCM", "TCD", "UniPCMultistep"))
CASES = {
    "ddim_defaults_clip": (DDIM, {}, 7),
    "ddim_sample_prediction": (DDIM, {**SD, "prediction_type": "sample", "clip_sample": False}, 9),
    "ddim_trailing_16": (DDIM, {**SD, "timestep_spacing": "trailing", "clip_sample": False}, 16),
    "ddim_linspace_7": (DDIM, {**SD, "timestep_spacing": "linspace", "clip_sample": False, "set_alpha_to_one": False}, 7),
    "ddim_zero_snr_v_trailing": (DDIM, {**SD, **V, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "clip_sample": False}, 10),
    "ddim_cosine": (DDIM, {"beta_schedule": "squaredcos_cap_v2", "clip_sample": False}, 10),
    "ddim_trained_betas": (DDIM, {"trained_betas": [round(0.001 + 0.0019 * i, 6) for i in range(10)], "num_train_timesteps": 10, "clip_sample": False}, 5),
    "pndm_v_trailing": (PNDM, {**SD, **V, "skip_prk_steps": True, "timestep_spacing": "trailing"}, 9),
    "pndm_linspace_1": (PNDM, {**SD, "skip_prk_steps": True, "timestep_spacing": "linspace"}, 1),
    "pndm_2": (PNDM, {**SD, "skip_prk_steps": True, "steps_offset": 1}, 2),
    "euler_karras_v": (EULER, {**SD, **V, "use_karras_sigmas": True, "timestep_spacing": "leading", "steps_offset": 1}, 8),
    "euler_sigma_min": (EULER, {**SD, "final_sigmas_type": "sigma_min"}, 6),
    "euler_sample_prediction": (EULER, {**SD, "prediction_type": "sample"}, 6),
    "euler_zero_snr_v_trailing": (EULER, {**SD, **V, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, 5),
    "ancestral_v_linspace": (ANCESTRAL, {**SD, **V}, 6),
    "dpm_heun": (DPM, {**SD, "solver_type": "heun"}, 12),
    "dpm_first_order": (DPM, {**SD, "solver_order": 1}, 6),
    "dpm_sigma_min_20": (DPM, {**SD, "final_sigmas_type": "sigma_min"}, 20),
    "dpm_sigma_min_6": (DPM, {**SD, "final_sigmas_type": "sigma_min"}, 6),
    "dpm_sigma_min_not_lower": (DPM, {**SD, "final_sigmas_type": "sigma_min", "lower_order_final": False}, 6),
    "dpm_sigma_min_euler_at_final": (DPM, {**SD, "final_sigmas_type": "sigma_min", "euler_at_final": True}, 18),
    "dpm_leading": (DPM, {**SD, "timestep_spacing": "leading", "steps_offset": 1}, 9),
    "dpm_trailing_v": (DPM, {**SD, **V, "timestep_spacing": "trailing"}, 9),
    "dpm_one_step": (DPM, {**SD}, 1),
    "dpm_cosine": (DPM, {"beta_schedule": "squaredcos_cap_v2"}, 8),
    "dpm_sde": (DPM, {**SD, "algorithm_type": "sde-dpmsolver++"}, 8),
    "dpm_sde_karras_heun": (DPM, {**SD, "algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True, "solver_type": "heun"}, 8),
    "lcm_v_clip": (LCM, {**V, "clip_sample": True}, 3),
    "lcm_8": (LCM, {}, 8),
    "lcm_trailing_4": (LCM, {"timestep_spacing": "trailing"}, 4),
    "ddim_eta": (DDIM, {**SD, "clip_sample": False, "eta": 0.6}, 7),
    "ddim_eta_1_v": (DDIM, {**SD, **V, "clip_sample": False, "set_alpha_to_one": False, "eta": 1.0}, 5),
    "tcd_4": (TCD, {}, 4),
    "tcd_eta_4": (TCD, {"eta": 0.3}, 4),
    "tcd_eta_1_v": (TCD, {**V, "eta": 1.0}, 6),
    "tcd_one_step": (TCD, {"eta": 0.3, "prediction_type": "sample"}, 1),
    "unipc_10": (UNIPC, {**SD}, 10),
    "unipc_karras_8": (UNIPC, {**SD, "use_karras_sigmas": True, "timestep_spacing": "leading", "steps_offset": 1}, 8),
    "unipc_third_order_v": (UNIPC, {**SD, **V, "solver_order": 3, "timestep_spacing": "trailing"}, 9),
    "unipc_bh1_sigma_min": (UNIPC, {**SD, "solver_type": "bh1", "final_sigmas_type": "sigma_min", "lower_order_final": False}, 7),
    "unipc_of_dpm": (UNIPC, {**SD, "solver_type": "midpoint"}, 5),
    "unipc_one_step": (UNIPC, {**SD}, 1),
    "dpm_of_unipc": (DPM, {**SD, "solver_type": "bh2"}, 6),
}


def run(name, config, steps):
    told = {k: v for k, v in config.items() if k == "eta"}
    scheduler = getattr(diffusers, name)(**{k: v for k, v in config.items() if k not in told})
    if name == TCD and not told:
        told = {"eta": 0.0}  # as diffusers' pipelines do
    scheduler.set_timesteps(steps)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)
    draws = 0

    def noise(shape, *_, **__):
        nonlocal draws
        draws += 1
        return torch.sin(3 * torch.arange(8.0) + 7 * (draws - 1) + 0.5).reshape(shape)

    i = torch.arange(8.0)
    sample = (torch.sin(1 + i) * scheduler.init_noise_sigma).reshape(1, 2, 2, 2)
    samples = []
    with patch(f"{inspect.getmodule(type(scheduler)).__name__}.randn_tensor", noise, create=True):
        for t in scheduler.timesteps:
            seen = scheduler.scale_model_input(sample, t)
            output = 0.3 * seen + (0.05 * torch.cos(i)).reshape(seen.shape) + 0.0005 * float(t)
            sample = scheduler.step(output, t, sample, **told).prev_sample
            samples.append([float(f"{v:.8g}") for v in sample.flatten().tolist()])
    # from a noise level of 4096 down to 15 float32 loses digits
    tolerance = 1e-4 if name == EULER and config.get("rescale_betas_zero_snr") else 1e-5
    return {
        "tolerance": tolerance, "scheduler": name, "config": config, "steps": steps, "init_noise_sigma": float(scheduler.init_noise_sigma),
        "timesteps": [float(t) for t in scheduler.timesteps], "prev": samples,
    }


if __name__ == "__main__":
    cases = {name: run(*case) for name, case in CASES.items()}
    Path(__file__).with_name("settings.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
