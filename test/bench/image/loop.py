"""diffusers' loop over the same graph: OnnxStableDiffusionPipeline with onnxruntime for Python, told by lines of JSON.

    python loop.py FOLDER THREADS SIDE SCHEDULER

FOLDER has model.onnx and the inputs that our side draws with (models.ts), SIDE is that of the latents. Each line of the input is a
number of steps; answered with {seconds: of each step, inside: of these in session.run, cpuSeconds: of them all, latents: the last ones' numbers}. The
text encoder and the decoder, which are no part of the loop, are left out: the prompt comes as it was read, the picture is empty.
"""

import json
import sys
import time
from pathlib import Path

import diffusers
import numpy as np
import onnxruntime


class Unet(diffusers.OnnxRuntimeModel):
    """Also gives what Stable Diffusion XL wants besides, and keeps how long the graph ran."""

    def __init__(self, session, besides):
        super().__init__(model=session)
        self.besides, self.inside = besides, []

    def __call__(self, **inputs):
        begin = time.perf_counter()
        result = super().__call__(**inputs, **self.besides)
        self.inside.append(time.perf_counter() - begin)
        return result


class Euler(diffusers.EulerDiscreteScheduler):
    """The pipeline multiplies numpy's arrays by it."""

    @property
    def init_noise_sigma(self):
        return float(super().init_noise_sigma)


class EmptyPicture:
    def __call__(self, latent_sample):
        return [np.zeros((1, 3, 8, 8), np.float32)]


def main(folder, threads, side, scheduler):
    given = json.loads((folder / "inputs.json").read_text())
    read = lambda name: np.fromfile(folder / f"{name}.bin", np.float32).reshape(given[name])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    wanted = {each.name for each in session.get_inputs()}
    unet = Unet(session, {name: read(name) for name in ("text_embeds", "time_ids") if name in wanted})
    pipeline = diffusers.OnnxStableDiffusionPipeline(
        vae_encoder=None, vae_decoder=EmptyPicture(), text_encoder=None, tokenizer=None, unet=unet, scheduler=Euler.from_config(scheduler),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    negative, prompt = read("encoder_hidden_states")[:, None]
    say = lambda value: print(json.dumps(value), flush=True)
    say({"version": f"diffusers {diffusers.__version__}, onnxruntime {onnxruntime.__version__}"})
    for line in sys.stdin:
        unet.inside.clear()
        ends, last, cpu = [time.perf_counter()], None, time.process_time()

        def after(_step, _timestep, latents):
            nonlocal last
            ends.append(time.perf_counter())
            last = latents

        pipeline(prompt_embeds=prompt, negative_prompt_embeds=negative, latents=read("noise"), height=8 * side, width=8 * side, num_inference_steps=json.loads(line), guidance_scale=given["scale"],
                 callback=after, output_type="np")
        say({"seconds": np.diff(ends).tolist(), "inside": unet.inside, "cpuSeconds": time.process_time() - cpu, "latents": last.ravel()[:4096].tolist()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4]))
