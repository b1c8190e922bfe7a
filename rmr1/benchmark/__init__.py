"""The benchmarks of reward models: loaders, published scores, the paper's tables, reports."""
