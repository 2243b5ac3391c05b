// The vendors' packages with CUDA's libraries and onnxruntime's CUDA provider, pinned: names, sizes and hashes.

/** A zip of the vendor. */
export type VendorPackage = {
  file: string;
  bytes: number;
  sha256: string;
  /** Which of its files are libraries that are needed. */
  libraries: RegExp;
};

/**
 * The wheels of Python's package index: Microsoft's build of onnxruntime 1.30.0 with CUDA 13, and NVIDIA's libraries that
 * it asks for (nvidia-cuda-runtime ~= 13.0, nvidia-cufft ~= 12.0, nvidia-curand ~= 10.0, nvidia-cudnn-cu13 ~= 9.0, and
 * what these load: cublas, nvrtc, nvjitlink). CUDA 13 takes NVIDIA's driver from 580 on.
 */
export const cudaPackages: readonly VendorPackage[] = [
  {
    file: "onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl",
    bytes: 246685715,
    sha256: "6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1",
    libraries: /libonnxruntime_providers_(cuda|shared)\.so$/,
  },
  {
    file: "nvidia_cuda_runtime-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    bytes: 2504024,
    sha256: "df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d",
    libraries: /libcudart\.so\.13$/,
  },
  {
    file: "nvidia_cublas-13.10.0.20-py3-none-manylinux1_x86_64.manylinux_2_5_x86_64.whl",
    bytes: 444289903,
    sha256: "dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84",
    libraries: /libcublas(Lt)?\.so\.13$/,
  },
  {
    file: "nvidia_cudnn_cu13-9.28.1.4-py3-none-manylinux_2_27_x86_64.whl",
    bytes: 516817937,
    sha256: "a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec",
    libraries: /libcudnn(_\w+)?\.so\.9$/,
  },
  {
    file: "nvidia_cufft-12.5.0.14-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    bytes: 165072555,
    sha256: "b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad",
    libraries: /libcufft\.so\.12$/,
  },
  {
    file: "nvidia_curand-10.4.5.25-py3-none-manylinux_2_27_x86_64.whl",
    bytes: 77113015,
    sha256: "22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529",
    libraries: /libcurand\.so\.10$/,
  },
  {
    file: "nvidia_cuda_nvrtc-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    bytes: 58185930,
    sha256: "86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc",
    libraries: /libnvrtc(-builtins)?\.so\.[\d.]+$/,
  },
  {
    file: "nvidia_nvjitlink-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    bytes: 46642491,
    sha256: "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb",
    libraries: /libnvJitLink\.so\.13$/,
  },
];
