//! `report.html`: one file with everything to be seen of a result. It fetches nothing, and needs no scripts.

use std::fmt::Write;

use super::{
    folder::{Folder, FolderError},
    metrics::{METRICS, label},
    plots::{self, Chart, Drawn, Section},
    record::{Ending, Record, Sweep},
    statistics::{Mean, mean},
    validating::Validation,
};

/// Writes the plots and the report of a folder of results.
///
/// # Errors
/// When the folder holds no results, or cannot be written.
pub fn write_report(folder: &Folder) -> Result<(), FolderError> {
    let (title, sections, (numbers, origin)) = if folder.is_sweep()? {
        let sweep = folder.sweep()?;
        let drawn = drawn_runs(folder, &sweep)?;
        let bodies = (sweep_numbers(&sweep), sweep_origin(&sweep));
        (sweep.title.clone(), plots::of_sweep(&sweep, &drawn), bodies)
    } else {
        let record = folder.record()?;
        let charts = plots::of_run(&record);
        let section = Section { heading: "Plots".to_owned(), is_open: true, charts };
        (record.manifest.title.clone(), vec![section], (run_numbers(&record), run_origin(&record)))
    };
    let mut figures = String::new();
    for Section { heading, is_open, charts } in &sections {
        let heading = escaped(heading);
        figures.push_str(&match is_open {
            true => format!("<h2>{heading}</h2>\n"),
            false => format!("<details><summary class=\"h2\">{heading}</summary>\n"),
        });
        for chart in charts {
            figures.push_str(&figure(folder, chart)?);
        }
        figures.push_str(if *is_open { "" } else { "</details>\n" });
    }
    folder.write("report.html", page(&title, &format!("{numbers}\n{figures}\n{origin}")).as_bytes())
}

/// Writes the document, the plots and the report of a validation.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_validation(folder: &Folder, validation: &Validation) -> Result<(), FolderError> {
    folder.write_json("validation.json", validation)?;
    let mut body = format!("<p>{}</p>", escaped(VALIDATED));
    for part in &validation.parts {
        let seeds: Vec<String> = part.seeds.iter().map(u64::to_string).collect();
        let _ = write!(body, "<h2>{}</h2>\n<p>Seeds {}.</p>\n", escaped(&part.title), seeds.join(", "));
        body.push_str(
            "<table><tr><th>what</th><th>model</th><th>real nodes</th><th>ratio</th><th>verdict</th></tr>\n",
        );
        for row in &part.rows {
            let value = |mean: &Mean| {
                let half = mean.half_width.map_or(String::new(), |half| format!(" \u{b1} {half:.1}"));
                format!("{:.1}{half} {}", mean.mean, row.unit)
            };
            let _ = writeln!(
                body,
                "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}{}</td></tr>",
                escaped(&row.what),
                value(&row.model),
                value(&row.real),
                row.ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.3}")),
                row.verdict.name(),
                row.because.map_or(String::new(), |because| format!(": {}", escaped(because))),
            );
        }
        body.push_str("</table>\n");
        for chart in part.charts() {
            body.push_str(&figure(folder, &chart)?);
        }
    }
    folder.write("report.html", page("The model held against real nodes", &body).as_bytes())
}

const VALIDATED: &str = "The same plans were carried out by the model and by real nodes on one machine, whose lines were given \
                         the length that the plans say. Means over the seeds with 95 % intervals; a time holds within 10 %, a \
                         count within 5 %.";

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n<style>{STYLE}</style></head>\n\
         <body><main>\n<h1>{title}</h1>\n{body}</main></body></html>\n",
        title = escaped(title),
    )
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;color:#222;margin:0;background:#fff}\
main{max-width:60rem;margin:0 auto;padding:1rem}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}\
table{border-collapse:collapse;margin:.5rem 0}td,th{text-align:left;padding:.2rem 1.2rem .2rem 0;border-bottom:1px solid #ddd;\
vertical-align:top}.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.what{min-width:15rem}.wide{overflow-x:auto}code,pre{font:13px/1.4 ui-monospace,monospace}\
pre{background:#f5f5f5;padding:1rem;overflow:auto}code{overflow-wrap:anywhere}.note{border-left:4px solid #e69f00;padding:.4rem \
.8rem;background:#fdf6e7}.bad{border-color:#d55e00;background:#fcece1}figure{margin:1.5rem 0}figure svg{width:100%;height:auto}\
figcaption{color:#555;font-size:.9rem}summary{cursor:pointer}.h2{font-size:1.2rem;font-weight:bold;margin:2rem 0 1rem}";

/// What the runs of a sweep show. Those that ended early would drag every mean, and those whose folders are gone cannot be read.
fn drawn_runs(folder: &Folder, sweep: &Sweep) -> Result<Vec<Drawn>, FolderError> {
    let mut drawn = Vec::new();
    for run in sweep.runs.iter().filter(|run| !run.partial) {
        match folder.within(&run.folder).record() {
            Ok(record) => drawn.push(Drawn::of(&run.values, &record)),
            Err(FolderError::Foreign(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(drawn)
}

/// Writes a plot's two files, and shows it.
fn figure(folder: &Folder, chart: &Chart) -> Result<String, FolderError> {
    let failed = |e: plots::PlotError| FolderError::Damaged {
        path: folder.path().join(format!("plots/{}", chart.name)),
        message: e.to_string(),
    };
    let (svg, png) = (chart.svg().map_err(failed)?, chart.png().map_err(failed)?);
    folder.write(&format!("plots/{}.svg", chart.name), svg.as_bytes())?;
    folder.write(&format!("plots/{}.png", chart.name), &png)?;
    let caption = escaped(&chart.caption);
    Ok(format!("<figure>{}<figcaption>{caption}</figcaption></figure>\n", svg.trim()))
}

fn run_numbers(record: &Record) -> String {
    let manifest = &record.manifest;
    let mut body = String::new();
    match &manifest.ending {
        Ending::Whole => {}
        Ending::Interrupted => note(
            &mut body,
            "note bad",
            &format!(
                "This run is partial: it was interrupted {} into {}.",
                seconds(manifest.reached_ms),
                seconds(manifest.duration_ms)
            ),
        ),
        Ending::Violation { check, at_ms, detail } => note(
            &mut body,
            "note bad",
            &format!("A promise was broken {} into the run: {check}: {detail}", seconds(*at_ms)),
        ),
    }
    note(
        &mut body,
        "note",
        "This is the run of one seed, which is not enough to conclude from: another seed draws other people, delays and \
         losses. `knack sim sweep` runs many and shows how far they differ.",
    );
    body.push_str("<h2>In numbers</h2>\n<table>\n");
    for metric in METRICS {
        if let Some(value) = record.summary.get(metric.name).copied().flatten() {
            let _ = writeln!(
                body,
                "<tr><td>{}</td><td class=\"n\">{}</td></tr>",
                escaped(metric.label),
                number(value)
            );
        }
    }
    body.push_str("</table>\n");
    body
}

/// What a run is of.
fn run_origin(record: &Record) -> String {
    let manifest = &record.manifest;
    let mut body = "<h2>What it is</h2>\n<table>\n".to_owned();
    let cpu = manifest.cpu_seconds.map_or("unknown".to_owned(), |s| format!("{s:.2} s"));
    let memory = manifest
        .peak_memory_bytes
        .map_or("unknown".to_owned(), |b| format!("{:.0} MiB", b as f64 / 1_048_576.0));
    let program = &manifest.program;
    let build = if program.debug_build { ", built without optimisation" } else { "" };
    let rows = [
        ("seed", manifest.seed.to_string()),
        ("trace hash", format!("<code>{}</code>", manifest.trace_hash)),
        ("nodes", manifest.nodes.to_string()),
        ("time", format!("{} of {}", seconds(manifest.reached_ms), seconds(manifest.duration_ms))),
        ("events", manifest.events.to_string()),
        (
            "wall clock",
            format!("{:.2} s, {:.2} s of them to set up", manifest.wall_seconds, manifest.setup_seconds),
        ),
        ("processor", cpu),
        ("events per second", format!("{:.0}{build}", manifest.events_per_second)),
        ("peak memory", memory),
        ("program", program_line(program)),
        ("machine", machine_line(&manifest.machine)),
    ];
    for (name, value) in rows {
        row(&mut body, name, &value);
    }
    body.push_str("</table>\n");
    scenario(&mut body, &manifest.scenario);
    body
}

fn sweep_numbers(sweep: &Sweep) -> String {
    let mut body = String::new();
    if sweep.partial {
        let whole = sweep.runs.iter().filter(|run| !run.partial).count();
        let early = sweep.runs.len() - whole;
        note(
            &mut body,
            "note bad",
            &format!(
                "This sweep is partial. {whole} runs are whole, and only these are in the means and plots below; {early} ended early, and \
                 their folders hold what was measured until then; the rest was not begun."
            ),
        );
    }
    if sweep.seeds.len() < 2 {
        note(
            &mut body,
            "note",
            "One seed is not enough to conclude from: what of this is chance cannot be said. Sweep over more with --seeds 1..20.",
        );
    }
    let _ = writeln!(
        body,
        "<p>{} runs, {} seeds for each combination of values; means with 95 % intervals by Student's t distribution.</p>",
        sweep.runs.len(),
        sweep.seeds.len()
    );
    body.push_str("<h2>In numbers</h2>\n");
    table(&mut body, sweep, true);
    body.push_str("<details><summary>other measures</summary>\n");
    table(&mut body, sweep, false);
    body.push_str("</details>\n");
    body
}

/// A table of metrics, a column for each combination of values.
fn table(body: &mut String, sweep: &Sweep, is_main: bool) {
    let mut groups: Vec<(&[String], Vec<&super::SweepRow>)> = Vec::new();
    for run in sweep.runs.iter().filter(|run| !run.partial) {
        match groups.iter_mut().find(|(values, _)| *values == run.values) {
            Some((_, runs)) => runs.push(run),
            None => groups.push((&run.values, vec![run])),
        }
    }
    let _ = write!(
        body,
        "<div class=\"wide\"><table>\n<tr><th class=\"what\">{}</th>",
        escaped(&sweep.keys.join(", "))
    );
    for (values, _) in &groups {
        let _ = write!(body, "<th class=\"n\">{}</th>", escaped(&values.join(", ")));
    }
    body.push_str("</tr>\n");
    for metric in METRICS.iter().filter(|metric| metric.is_main == is_main) {
        let values: Vec<Vec<f64>> = groups
            .iter()
            .map(|(_, runs)| {
                runs.iter().filter_map(|run| run.summary.get(metric.name).copied().flatten()).collect()
            })
            .collect();
        if values.iter().all(Vec::is_empty) {
            continue;
        }
        let _ = write!(body, "<tr><td>{}</td>", escaped(label(metric.name)));
        for (values, (_, runs)) in values.iter().zip(&groups) {
            let mut text = mean(values).map_or("-".to_owned(), |mean| match mean.half_width {
                Some(half) => uncertain(mean.mean, half),
                None => number(mean.mean),
            });
            if !values.is_empty() && values.len() < runs.len() {
                let _ = write!(text, "<br>({} of {} runs)", values.len(), runs.len());
            }
            let _ = write!(body, "<td class=\"n\">{text}</td>");
        }
        body.push_str("</tr>\n");
    }
    body.push_str("</table></div>\n");
}

/// What a sweep is of.
fn sweep_origin(sweep: &Sweep) -> String {
    let mut body = "<h2>What it is</h2>\n<table>\n".to_owned();
    let seeds: Vec<String> = sweep.seeds.iter().map(u64::to_string).collect();
    row(&mut body, "seeds", &seeds.join(", "));
    row(&mut body, "wall clock", &format!("{:.2} s", sweep.wall_seconds));
    row(&mut body, "program", &program_line(&sweep.program));
    row(&mut body, "machine", &machine_line(&sweep.machine));
    body.push_str("</table>\n");
    scenario(&mut body, &sweep.scenario);
    body
}

fn program_line(program: &super::machine::Program) -> String {
    let commit = program.commit.as_deref().unwrap_or("unknown");
    format!(
        "knack {}, commit {}, Cargo.lock <code>{}</code>",
        escaped(&program.version),
        escaped(commit),
        escaped(&program.cargo_lock)
    )
}

fn machine_line(machine: &super::machine::Machine) -> String {
    let cores = machine.cores.map_or("unknown".to_owned(), |cores| cores.to_string());
    format!("{} on {}, {cores} cores", escaped(&machine.os), escaped(&machine.arch))
}

fn scenario(body: &mut String, file: &knackmesh_simulations::plan::File) {
    let text = super::Plan { file: file.clone() }.to_toml();
    let _ = write!(
        body,
        "<h2>Scenario</h2>\n<details><summary>with every default and setting</summary>\n<pre>{}</pre></details>\n",
        escaped(&text)
    );
}

fn note(body: &mut String, class: &str, text: &str) {
    let _ = writeln!(body, "<p class=\"{class}\">{}</p>", escaped(text));
}

fn row(body: &mut String, name: &str, value: &str) {
    let _ = writeln!(body, "<tr><td>{name}</td><td>{value}</td></tr>");
}

fn seconds(ms: u64) -> String {
    knackmesh_simulations::plan::Duration(ms).to_string()
}

fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// A mean with half the width of its interval: two digits of this, and as many of the mean as it leaves certain.
fn uncertain(mean: f64, half: f64) -> String {
    if half < 1e-9 {
        return format!("{} \u{b1} 0", number(mean));
    }
    let digits = (1.0 - half.log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{mean:.digits$} \u{b1} {half:.digits$}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_has_the_digits_that_its_interval_leaves_certain() {
        assert_eq!(uncertain(0.99487, 0.01081), "0.995 \u{b1} 0.011");
        assert_eq!(uncertain(49_646.2, 14_216.4), "49646 \u{b1} 14216");
        assert_eq!(uncertain(21.25, 2.39), "21.2 \u{b1} 2.4");
        assert_eq!(uncertain(1.0, 0.0), "1.00 \u{b1} 0");
    }
}
