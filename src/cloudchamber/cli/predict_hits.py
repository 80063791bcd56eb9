"""``cloudchamber predict`` for wire readouts: scores of hits, by any engine, even without torch."""

from pathlib import Path

from cloudchamber.errors import InputError

ONNX = ".onnx"


def is_exported(bundle: str) -> bool:
    """Say whether a model is one that ``cloudchamber export`` wrote in ONNX, by its name."""
    return Path(bundle).suffix.lower() == ONNX


def predict_hits(
    bundle: str,
    file: Path,
    output: Path,
    *,
    engine: str = "auto",
    threads: int = 1,
    memory_mib: float = 1536.0,
) -> None:
    """Score the hits of a file; torch is imported only for what needs it.

    Raises
    ------
    InputError
        if bundle, file or engine are none, do not fit each other, or the output cannot be written.
    """
    from cloudchamber.infer.hits_predict import predict_hits_file

    if is_exported(bundle):
        if engine not in ("auto", "onnxruntime"):
            raise InputError("--engine", "", f"onnxruntime, for {bundle}", repr(engine))
        from cloudchamber.infer.hits_onnx import scorer_of_onnx

        scorer = scorer_of_onnx(Path(bundle), threads=threads, memory_mib=memory_mib)
    else:
        try:
            from cloudchamber.infer.hits_scorers import scorer_of_bundle
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            wanted = "a network in ONNX (cloudchamber export writes it), as torch is not installed"
            raise InputError(bundle, "", wanted, "a bundle") from error
        scorer = scorer_of_bundle(bundle, engine=engine, threads=threads, memory_mib=memory_mib)
    predict_hits_file(scorer, file, output)
    print(output)
