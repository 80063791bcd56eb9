"""The card of a trained model for muon energies."""

from cloudchamber.infer.energy_bundle import EnergyBundle
from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.energy import EnergyScore
from cloudchamber.train.energy_recipe import EnergyRecipe

_CARD = """# {name}

{about} Trained on {train_n:,} simulated muons for {epochs} epochs.

- **Task**: energy: from the cells of a calorimeter, {grid}, to the kinetic energy of the muon, with a 68%
  interval. {entry}
- **Network**: {copies}{network}, {parameters:,} parameters; options: {options}; output: {output}.
- **Trained on** {train_n:,} muons of cloudchamber's simulation, setting {setting}, seed {seed}; {epochs}
  epochs of batches of {batch}, {schedule}{symmetries}; {minutes:.0f} min.
- **Validation MI** {mi} % (mean improvement over a tracker, bootstrap over muons), {deck}, on {score_n:,}
  muons, seed {val_seed}, on cloudchamber's simulation. Largest median bias of a bin up to 4 TeV: {bias}. The
  68% intervals hold {coverage} of all muons{fifths}.
- **Calibrated** on {fit_n:,} other muons of the same file{chose}: {calibrated}.
- **To make it again**: `cloudchamber train {name}{budget} -o run`.

## Limits

- It knows single muons as the simulation draws them, of {low:,.0f} to {high:,.0f} GeV, along z, in this grid
  and a field of 2 T, without noise or dead cells. On other detectors train it again.
- Intervals hold what they say at each true energy of that spectrum; for a chosen prediction near its ends
  they may not.
"""


def worst_bias(score: EnergyScore) -> Estimate | None:
    """Return the median bias farthest from 0 among the bins up to 4 TeV."""
    known = [(abs(each.bias.value), each.bias) for each in score.bins if each.bias.value is not None]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def _percent(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    error = "" if estimate.error is None else f" ± {100 * estimate.error:.1f}"
    return f"{100 * estimate.value:.1f}{error} %"


def _fifths(score: EnergyScore) -> str:
    values = [100 * each.coverage.value for each in score.coverage[1:] if each.coverage.value is not None]
    if not values:
        return ""
    return f", and {min(values):.1f} to {max(values):.1f} % in each fifth of the true energies"


def write_energy_card(
    recipe: EnergyRecipe,
    bundle: EnergyBundle,
    score: EnergyScore,
    deck: EnergyScore | None,
    *,
    fit_n: int,
    epochs: int,
    seconds: float,
    budget: str | None,
) -> str:
    """Return the text of the card.

    Parameters
    ----------
    score, deck : of the muons that did not calibrate: corrected as the bundle does it, and by the published
        curve if it could be fitted.
    fit_n : muons that calibrated.
    epochs, seconds : of training, all copies together for the latter.
    """
    data, training, config = recipe.data, recipe.training, bundle.config
    grid, intervals = config.grid, config.intervals
    network = bundle.networks[0]
    fitted = {
        "the median prediction": config.calibration,
        "the published curve": config.deck,
        "intervals": intervals,
    }
    missing = [name for name, curve in fitted.items() if curve is None]
    options = {k: v for k, v in recipe.model.options.items() if k not in ("shape", "outputs")}
    return _CARD.format(
        name=recipe.name,
        about=recipe.about,
        train_n=config.n_train,
        epochs=epochs,
        grid=f"{' x '.join(map(str, grid.shape))} (z, x, y) of {grid.layer_mm:g} x {grid.cell_mm:g} mm",
        entry="It reads where the muon enters." if config.features else "It need not know where it enters.",
        copies=f"{recipe.copies} times " if recipe.copies > 1 else "",
        network=recipe.model.name,
        parameters=sum(p.numel() for p in network.parameters()),
        options=", ".join(f"{k} = {v}" for k, v in options.items()) or "default",
        output=config.output.kind,
        setting=data.train.setting,
        seed=data.train.seed,
        batch=training.batch,
        schedule=training.schedule.text,
        symmetries=", reflected in x and y" if training.symmetries else "",
        minutes=seconds / 60,
        mi=score.mi.text(2),
        deck="the published correction not fitted"
        if deck is None
        else f"{deck.mi.text(2)} % with the published correction",
        score_n=score.n_muons,
        val_seed=data.validation.seed,
        bias=_percent(worst_bias(score)),
        coverage=_percent(score.coverage[0].coverage) if score.coverage else "–",
        fifths=_fifths(score),
        fit_n=fit_n,
        chose=", all of which also chose the epoch" if training.patience else "",
        calibrated=f"{', '.join(name for name in fitted if name not in missing) or 'nothing'}"
        + (f"; not {', '.join(missing)}, for want of muons or of a rise" if missing else ""),
        low=intervals.range_gev[0] if intervals else 50,
        high=intervals.range_gev[1] if intervals else 8000,
        budget=f" --budget {budget}" if budget else "",
    )
