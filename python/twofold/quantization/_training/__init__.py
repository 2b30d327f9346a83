"""What training loops need besides PyTorch: `twofold.quantization.training` has its names."""
