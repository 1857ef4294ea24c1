"""Commands ``satqkd distill pass``, ``satellite``, ``ground``, ``import``, ``export``, ``secret`` and ``identity``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from satqkd.distillation.settings import Settings
    from satqkd.study.distill_ends import Outcome
    from satqkd.study.distill_equipment import EndOptions

__all__ = ["distill"]

distill = typer.Typer(
    help="Distil secret keys from a simulated pass, or from what the two ends of a link have recorded.",
    no_args_is_help=True,
)

PacketsOption = Annotated[int, typer.Option("--packets-per-block", help="Packets amplified together, 1 to 9.")]
SampleOption = Annotated[float, typer.Option("--sample", help="Share of signals disclosed to estimate errors.")]
ThresholdOption = Annotated[float, typer.Option("--qber-threshold", help="Packets above this error rate are dropped.")]
ModeOption = Annotated[str, typer.Option("--mode", help="Key length: composable or paper.", metavar="MODE")]
SecrecyOption = Annotated[float, typer.Option("--eps-secrecy", help="Secrecy parameter of each block's key.")]
CorrectnessOption = Annotated[float, typer.Option("--eps-correctness", help="Correctness of each block's key.")]
DisclosureOption = Annotated[
    str, typer.Option("--disclosure", help="Order of disclosed bits: public or llr.", metavar="ORDER")
]
LossOption = Annotated[float, typer.Option("--frame-loss", help="Share of datagrams that the link loses.", metavar="P")]
DuplicationOption = Annotated[float, typer.Option("--duplication", help="Share that arrives twice.", metavar="P")]
ReorderingOption = Annotated[float, typer.Option("--reordering", help="Share that is overtaken.", metavar="P")]
DelayOption = Annotated[float, typer.Option("--delay", help="Milliseconds each way.", metavar="MS")]
BandwidthOption = Annotated[float, typer.Option("--bandwidth", help="Megabit per second each way.", metavar="MBIT_S")]
PatienceOption = Annotated[float, typer.Option("--patience", help="Give up for now after this silence.", metavar="S")]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of the simulation and the emulated link.", metavar="N")]
StateOption = Annotated[
    Path, typer.Option("--state", help="Folder of this session; continued if it is there.", metavar="DIR")
]
PoolOption = Annotated[
    Path | None, typer.Option("--pool", help="Folder of the one-time values shared with the other end.", metavar="DIR")
]
SecretOption = Annotated[
    Path | None, typer.Option("--secret", help="Pre-shared secret to make the pool from.", metavar="FILE")
]
StoreOption = Annotated[
    Path | None, typer.Option("--store", help="Encrypted key store; default: files in the state.", metavar="FILE")
]
KeyFileOption = Annotated[
    Path | None, typer.Option("--key-file", help="Key of the store; made if it is not there.", metavar="FILE")
]
IdentityOption = Annotated[
    Path | None, typer.Option("--identity", help="Own signing key, for a first contact.", metavar="FILE")
]
PeerKeyOption = Annotated[Path | None, typer.Option("--peer-key", help="The other end's public key.", metavar="FILE")]
EventsOption = Annotated[bool, typer.Option("--events", help="Print events as lines of JSON.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@distill.command("pass")
def pass_(
    scenario: Annotated[str, typer.Argument(help="Name of a preset, or path of a TOML file.", metavar="SCENARIO")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for keys and report.", metavar="DIR")],
    duration_s: Annotated[
        float | None, typer.Option("--duration", help="Seconds around the best moment; default: all.", metavar="S")
    ] = None,
    pass_number: Annotated[int | None, typer.Option("--pass", help="Which pass; default: the best.")] = None,
    extra_loss_db: Annotated[float, typer.Option("--extra-loss", help="Loss added to the link.", metavar="DB")] = 0.0,
    seed: SeedOption = 0,
    frame_loss: LossOption = 0.0,
    duplication: DuplicationOption = 0.0,
    reordering: ReorderingOption = 0.0,
    delay_ms: DelayOption = 4.5,
    bandwidth_mbit_s: BandwidthOption = 156.0,
    packets_per_block: PacketsOption = 5,
    sample: SampleOption = 0.0,
    qber_threshold: ThresholdOption = 0.08,
    mode: ModeOption = "composable",
    eps_secrecy: SecrecyOption = 1e-9,
    eps_correctness: CorrectnessOption = 1e-15,
    disclosure: DisclosureOption = "public",
    patience_s: PatienceOption = 30.0,
    keep_records: Annotated[
        bool, typer.Option("--keep-records", help="Keep both ends' records: secret, like the key.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate a pass, run both ends as programs that talk over a bad link, and keep the key that both come to."""
    from satqkd.cli.distill_display import display
    from satqkd.study.distill_ends import end_code
    from satqkd.study.distill_pass import run_pass

    settings = _settings(packets_per_block, sample, qber_threshold, mode, eps_secrecy, eps_correctness, disclosure)
    link = _link(frame_loss, duplication, reordering, delay_ms, bandwidth_mbit_s)
    with display(quiet or as_json) as report:
        done = run_pass(
            scenario, output, duration_s=duration_s, pass_number=pass_number, extra_loss_db=extra_loss_db, seed=seed,
            link=link, settings=settings, patience_s=patience_s, keep_records=keep_records, overwrite=overwrite,
            report=report,
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(done.summary, ensure_ascii=False))
    elif not quiet:
        typer.echo(done.text)
    if done.failure is not None:
        typer.echo(f"error: {done.failure}", err=True)
    elif not done.key_bytes and not as_json:
        typer.echo(f"no key: {done.reason}", err=True)
    raise typer.Exit(end_code(done.failure, done.key_bytes))


@distill.command()
def satellite(
    record: Annotated[Path, typer.Argument(help="What the satellite sent (.sqc).", metavar="RECORD")],
    state: StateOption,
    listen: Annotated[
        str, typer.Option("--listen", help="Where the ground station calls; port 0: any.", metavar="HOST:PORT")
    ] = "127.0.0.1:0",
    pool: PoolOption = None,
    secret: SecretOption = None,
    store: StoreOption = None,
    key_file: KeyFileOption = None,
    identity: IdentityOption = None,
    peer_key: PeerKeyOption = None,
    packets_per_block: PacketsOption = 5,
    sample: SampleOption = 0.0,
    qber_threshold: ThresholdOption = 0.08,
    mode: ModeOption = "composable",
    eps_secrecy: SecrecyOption = 1e-9,
    eps_correctness: CorrectnessOption = 1e-15,
    disclosure: DisclosureOption = "public",
    frame_loss: LossOption = 0.0,
    duplication: DuplicationOption = 0.0,
    reordering: ReorderingOption = 0.0,
    delay_ms: DelayOption = 0.0,
    bandwidth_mbit_s: BandwidthOption = 1000.0,
    seed: SeedOption = 0,
    patience_s: PatienceOption = 30.0,
    events: EventsOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run the satellite's end alone, on its record of a pass."""
    from satqkd.distillation.udp import address
    from satqkd.study.distill_ends import run_satellite
    from satqkd.study.distill_equipment import EndOptions

    settings = _settings(packets_per_block, sample, qber_threshold, mode, eps_secrecy, eps_correctness, disclosure)
    options = EndOptions(
        state=state, pool=pool, secret=secret, store=store, key_file=_key_file(key_file), identity=identity,
        peer=peer_key, settings=settings, seed=seed, patience_s=patience_s,
        link=_link(frame_loss, duplication, reordering, delay_ms, bandwidth_mbit_s),
    )  # fmt: skip
    _end(
        lambda report: run_satellite(record, options, listen=address(listen, option="--listen"), report=report),
        options, events, quiet,
    )  # fmt: skip


@distill.command()
def ground(
    record: Annotated[Path, typer.Argument(help="What the ground station detected (.sqd).", metavar="RECORD")],
    state: StateOption,
    peer: Annotated[str, typer.Option("--peer", help="Where the satellite listens.", metavar="HOST:PORT")],
    pool: PoolOption = None,
    secret: SecretOption = None,
    store: StoreOption = None,
    key_file: KeyFileOption = None,
    identity: IdentityOption = None,
    peer_key: PeerKeyOption = None,
    gate_ps: Annotated[float, typer.Option("--gate", help="Width of the gate.", metavar="PS")] = 800.0,
    search_range_s: Annotated[
        float, typer.Option("--search-range", help="Largest difference of the clocks.", metavar="S")
    ] = 1.0,
    packets_per_block: PacketsOption = 5,
    sample: SampleOption = 0.0,
    qber_threshold: ThresholdOption = 0.08,
    mode: ModeOption = "composable",
    eps_secrecy: SecrecyOption = 1e-9,
    eps_correctness: CorrectnessOption = 1e-15,
    disclosure: DisclosureOption = "public",
    frame_loss: LossOption = 0.0,
    duplication: DuplicationOption = 0.0,
    reordering: ReorderingOption = 0.0,
    delay_ms: DelayOption = 0.0,
    bandwidth_mbit_s: BandwidthOption = 1000.0,
    seed: SeedOption = 0,
    patience_s: PatienceOption = 30.0,
    events: EventsOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run the ground station's end alone, on its record of a pass."""
    from satqkd.distillation.udp import address
    from satqkd.study.distill_ends import run_ground
    from satqkd.study.distill_equipment import EndOptions

    settings = _settings(packets_per_block, sample, qber_threshold, mode, eps_secrecy, eps_correctness, disclosure)
    options = EndOptions(
        state=state, pool=pool, secret=secret, store=store, key_file=_key_file(key_file), identity=identity,
        peer=peer_key, settings=settings, seed=seed, patience_s=patience_s, gate_ps=gate_ps,
        search_range_s=search_range_s,
        link=_link(frame_loss, duplication, reordering, delay_ms, bandwidth_mbit_s),
    )  # fmt: skip
    _end(
        lambda report: run_ground(record, options, peer=address(peer, option="--peer"), report=report),
        options, events, quiet,
    )  # fmt: skip


@distill.command("import")
def import_record(
    file: Annotated[Path, typer.Argument(help="Time tags: .ptu (T2 mode) or .csv (tag_ps,input).", metavar="FILE")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="New record for `distill ground`, mode 600.", metavar="FILE")
    ],
    pass_id: Annotated[str, typer.Option("--pass", help="Name of the pass, as the satellite has it.", metavar="NAME")],
    start: Annotated[str, typer.Option("--start", help="When it began, such as 2022-09-25T14:00:00Z.", metavar="TIME")],
    period: Annotated[float, typer.Option("--period", help="Picoseconds between pulses.", metavar="PS")],
    inputs: Annotated[str, typer.Option("--inputs", help="Inputs of the detectors Z0, Z1, X0, X1.")] = "0,1,2,3",
    sync_input: Annotated[
        int | None, typer.Option("--sync-input", help="Input of the sync words.", metavar="N")
    ] = None,
    sync_marker: Annotated[
        int | None, typer.Option("--sync-marker", help="Marker of the sync words: 1, 2, 4 or 8 (PTU).", metavar="BIT")
    ] = None,
    first_sync: Annotated[int, typer.Option("--first-sync", help="Number of the first sync word.", metavar="N")] = 0,
    receiver: Annotated[str, typer.Option("--receiver", help="passive or active.", metavar="KIND")] = "passive",
    as_json: JsonOption = False,
) -> None:
    """Make a record for `distill ground` of an instrument's time tags."""
    from satqkd.study.distill_import import import_time_tags

    found = import_time_tags(
        file, output, pass_id=pass_id, start=start, slot_period_ps=period, inputs=_inputs(inputs),
        sync_input=sync_input, sync_marker=sync_marker, first_sync_number=first_sync, receiver=receiver,
    )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(found))
        return
    counts = ", ".join(f"{name} {n:,}" for name, n in zip(("Z0", "Z1", "X0", "X1"), found["detections"], strict=True))
    typer.echo(f"{output}: {counts} detections in {found['duration_s']:.3f} s")
    typer.echo(f"{found['sync_words']:,} sync words, {found['missing_words']:,} missing between them")


def _inputs(text: str) -> list[int]:
    from satqkd.errors import InputError

    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f'--inputs: "{text}": must be four whole numbers, for example 0,1,2,3') from None


@distill.command()
def export(
    store: Annotated[Path, typer.Argument(help="Encrypted key store.", metavar="STORE")],
    key_file: Annotated[Path, typer.Option("--key-file", help="Key of the store.", metavar="FILE")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="New file for the key, mode 600.", metavar="FILE")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--bytes", help="How much, a multiple of 32; default: all.", metavar="N")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="raw or hex.", metavar="raw|hex")] = "raw",
    as_json: JsonOption = False,
) -> None:
    """Take key out of a store for an application, never the same twice; without -o say what there is."""
    from satqkd.study.distill_export import export_key, stock

    if output is None:
        found = stock(store, key_file)
        typer.echo(json.dumps(found) if as_json else f"{found['available_bytes']} bytes in {found['keys']} keys")
        return
    taken = export_key(store, key_file, output, count=count, form=form)
    typer.echo(json.dumps({"file": str(output), "bytes": taken}) if as_json else f"{output}: {taken} bytes of key")


@distill.command("secret")
def new_secret(
    file: Annotated[Path, typer.Argument(help="New file, to be copied to the other end in secret.", metavar="FILE")],
    size: Annotated[int, typer.Option("--bytes", help="Length, a multiple of 32.", metavar="N")] = 4096,
) -> None:
    """Make a pre-shared secret from the operating system's random numbers."""
    from satqkd.study.distill_export import make_secret

    make_secret(file, size)
    typer.echo(f"{file}: {size} bytes")


@distill.command("identity")
def new_identity(
    file: Annotated[Path, typer.Argument(help="New file for the private key.", metavar="FILE")],
    public: Annotated[Path, typer.Option("--public", help="New file for the public key.", metavar="FILE")],
    algorithm: Annotated[
        str, typer.Option("--algorithm", help="ed25519, or ml-dsa-65 against quantum computers.", metavar="NAME")
    ] = "ed25519",
) -> None:
    """Make a signing key for a first contact without a pre-shared secret."""
    from satqkd.study.distill_export import make_identity

    make_identity(file, public, algorithm)
    typer.echo(f"{file}: private; give {public} to the other end")


def _settings(
    packets_per_block: int, sample: float, threshold: float, mode: str, secrecy: float, correctness: float, order: str
) -> Settings:
    from satqkd.distillation.settings import Settings

    return Settings(
        packets_per_block=packets_per_block, sample_share=sample, qber_threshold=threshold, mode=mode,
        eps_secrecy=secrecy, eps_correctness=correctness, disclosure=order,
    )  # fmt: skip


def _link(loss: float, duplication: float, reordering: float, delay_ms: float, bandwidth_mbit_s: float) -> Any:
    from satqkd.distillation.link import LinkModel

    return LinkModel(loss, duplication, reordering, 1e-3 * delay_ms, 1e6 * bandwidth_mbit_s)


def _key_file(path: Path | None) -> Path | None:
    if path is not None and not path.exists():
        from satqkd.distillation.key_store import new_key_file

        new_key_file(path)
    return path


def _end(
    run: Callable[[Callable[[dict[str, Any]], None]], Outcome], options: EndOptions, events: bool, quiet: bool
) -> None:
    """Run one end with its display, and end with its exit code."""
    from satqkd.cli.distill_display import display, print_event
    from satqkd.study.distill_ends import end_code

    if events:
        outcome = run(print_event)
    else:
        with display(quiet) as report:
            outcome = run(report)
    size = sum(outcome.blocks.values())
    failure = None if outcome.failure is None else str(outcome.failure)
    if events:
        print_event({"event": "end", "failure": failure, "blocks": outcome.blocks, "link": outcome.link,
                     "authentication": outcome.authentication, "memory_bytes": outcome.memory_bytes,
                     "processor_s": outcome.processor_s})  # fmt: skip
    elif not quiet:
        where = options.store if options.store is not None else options.state / "keys"
        typer.echo(f"{size} bytes of key in {len(outcome.blocks)} blocks: {where}")
        if outcome.authentication == "signatures":
            typer.echo("this session was authenticated by signatures: computationally, not information-theoretically")
    if failure is not None:
        typer.echo(f"error: {failure}", err=True)
    raise typer.Exit(end_code(outcome.failure, size))
