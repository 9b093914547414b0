//! The plots of a run.

use std::collections::BTreeMap;

use super::{Body, Chart, curves::pictures};
use crate::sim::{metrics::found, record::Record};

/// The plots of a run; what was not measured has none.
pub fn of_run(record: &Record) -> Vec<Chart> {
    let mut charts: Vec<Chart> = pictures(record).iter().map(|picture| picture.chart()).collect();
    let bars = [hops(record), messages(record), bytes(record)];
    charts.extend(bars.into_iter().flatten());
    charts
}

fn hops(record: &Record) -> Option<Chart> {
    let mut counts: BTreeMap<u8, u32> = BTreeMap::new();
    found(record).for_each(|line| *counts.entry(line.hops).or_default() += 1);
    let bar = |(hops, count): (u8, u32)| {
        (format!("{hops} hop{}", if hops == 1 { "" } else { "s" }), f64::from(count))
    };
    let bars: Vec<_> = counts.into_iter().map(bar).collect();
    (!bars.is_empty()).then(|| Chart {
        name: "hops".into(),
        title: "How far targets are".into(),
        caption: "Answers that led to the target, its own included.".into(),
        body: Body::Bars { label: "look-ups that found their target".into(), bars },
    })
}

fn messages(record: &Record) -> Option<Chart> {
    let bars = record.messages.iter().map(|line| (line.kind.clone(), line.sent as f64)).collect();
    by_kind("messages", "Messages sent, by kind", "messages", bars)
}

fn bytes(record: &Record) -> Option<Chart> {
    let most = record.messages.iter().map(|line| line.sent_bytes).max()? as f64;
    // The greatest unit of which there are ten at least.
    let units = [("GiB", 1024.0 * 1024.0 * 1024.0), ("MiB", 1024.0 * 1024.0), ("KiB", 1024.0)];
    let (unit, size) = units.into_iter().find(|(_, size)| most >= 10.0 * size).unwrap_or(("bytes", 1.0));
    let bars =
        record.messages.iter().map(|line| (line.kind.clone(), line.sent_bytes as f64 / size)).collect();
    by_kind("bytes", "Bytes sent, by kind", unit, bars)
}

fn by_kind(name: &str, title: &str, unit: &str, mut bars: Vec<(String, f64)>) -> Option<Chart> {
    bars.sort_by(|a, b| b.1.total_cmp(&a.1));
    (!bars.is_empty()).then(|| Chart {
        name: name.to_owned(),
        title: title.to_owned(),
        caption: "By all nodes together, whether it arrived or not, without what carries messages (framing, encryption, \
                  acknowledgements)."
            .into(),
        body: Body::Bars { label: format!("{unit} sent by all nodes"), bars },
    })
}
