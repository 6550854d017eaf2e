//! The table that a run ends with: convlog's figures, each peer's, and how many times better convlog
//! is.

use super::figures::{Asked, Figures};
use super::goals::plain;

/// One line of the table; the first value is convlog's.
#[derive(Debug)]
struct Row {
    label: String,
    is_more_better: bool,
    values: Vec<Option<f64>>,
}

/// The table as Markdown. A ratio above 1 says that convlog is ahead.
pub(super) fn table(first: &Figures, peers: &[Figures], n_raw: u64) -> String {
    let engines: Vec<&Figures> = std::iter::once(first).chain(peers).collect();
    let mut heads = vec![String::new(), first.name.clone()];
    for peer in peers {
        heads.push(format!("{} {}", peer.name, peer.version).trim().to_owned());
        heads.push("times".to_owned());
    }
    let rows = rows(&engines, n_raw);
    markdown(&heads, &rows.iter().map(cells).collect::<Vec<_>>())
}

/// Lines of cells as a table of Markdown, in columns of equal width.
pub(super) fn markdown(heads: &[String], lines: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|cells| cells.get(column));
        let widths = cells
            .chain(heads.get(column))
            .map(|cell| cell.chars().count());
        widths.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!(" {cell:<width$} |"));
        format!("|{}\n", padded.collect::<String>())
    };
    let rule = widths
        .iter()
        .map(|width| format!(" {} |", "-".repeat((*width).max(3))));
    let mut text = line(heads);
    text += &format!("|{}\n", rule.collect::<String>());
    for cells in lines {
        text += &line(cells);
    }
    text
}

fn cells(row: &Row) -> Vec<String> {
    let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), plain);
    let mut values = row.values.iter().copied();
    let ours = values.next().flatten();
    let mut cells = vec![row.label.clone(), shown(ours)];
    for theirs in values {
        cells.push(shown(theirs));
        let ratio = ours
            .zip(theirs)
            .and_then(|(ours, theirs)| ratio(ours, theirs, row.is_more_better));
        cells.push(shown(ratio));
    }
    cells
}

/// How many times better ours is; none where one of the two is nothing.
pub(super) fn ratio(ours: f64, theirs: f64, is_more_better: bool) -> Option<f64> {
    let (above, below) = if is_more_better {
        (ours, theirs)
    } else {
        (theirs, ours)
    };
    (above > 0.0 && below > 0.0).then(|| above / below)
}

fn rows(engines: &[&Figures], n_raw: u64) -> Vec<Row> {
    let megabytes = n_raw as f64 / 1e6;
    let row = |label: &str, is_more_better: bool, value: &dyn Fn(&Figures) -> Option<f64>| Row {
        label: label.to_owned(),
        is_more_better,
        values: engines.iter().map(|figures| value(figures)).collect(),
    };
    let mut rows = vec![
        row("ingest, records/s", true, &Figures::rate),
        row("acknowledgement of a batch p99, ms", false, &|figures| {
            figures.acknowledged.p99()
        }),
        row("longest acknowledgement, ms", false, &|figures| {
            figures.acknowledged.max()
        }),
        row("memory at peak, MiB", false, &|figures| {
            Some(figures.memory as f64 / f64::from(1 << 20))
        }),
        row("disk, of raw", false, &|figures| {
            Some(figures.n_disk as f64 / n_raw as f64)
        }),
    ];
    let names = engines.first().map(|first| &first.questions);
    for asked in names.into_iter().flatten() {
        let name = &asked.name;
        let of = |value: fn(&Asked) -> Option<f64>| {
            move |figures: &Figures| figures.question(name).and_then(value)
        };
        rows.push(row(
            &format!("{name} p50, ms"),
            false,
            &of(|asked| asked.list.p50()),
        ));
        rows.push(row(
            &format!("{name} p99, ms"),
            false,
            &of(|asked| asked.list.p99()),
        ));
        rows.push(row(
            &format!("{name}, count of {} p50, ms", asked.total),
            false,
            &of(|asked| asked.count.p50()),
        ));
    }
    rows.push(row(
        "histogram by day with distinct users p50, ms",
        false,
        &|figures| figures.histogram_times.p50(),
    ));
    rows.push(row("export, raw MB/s", true, &|figures| {
        Some(megabytes / figures.export?.as_secs_f64())
    }));
    rows.push(row(
        "erasing one customer from the files, s",
        false,
        &|figures| Some(figures.erase?.as_secs_f64()),
    ));
    rows
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::report::Latencies;
    use super::*;

    fn figures(name: &str, seconds: u64, n_disk: u64, list_ms: f64) -> Figures {
        Figures {
            name: name.to_owned(),
            n_records: 1_000,
            ingest: Some(Duration::from_secs(seconds)),
            n_disk,
            questions: vec![Asked {
                name: "phrase".to_owned(),
                total: 7,
                list: Latencies::from_millis(&[list_ms]),
                ..Asked::default()
            }],
            ..Figures::default()
        }
    }

    #[test]
    fn a_ratio_above_one_says_that_convlog_is_ahead() {
        assert_eq!(ratio(300.0, 100.0, true), Some(3.0));
        assert_eq!(ratio(2.0, 10.0, false), Some(5.0));
        assert_eq!(ratio(2.0, 0.0, true), None);
    }

    #[test]
    fn the_table_has_a_line_for_each_figure_and_two_columns_for_each_peer() {
        let mut peer = figures("SQLite", 4, 1_500, 0.5);
        peer.version = "3.54.1".to_owned();
        let other = Figures {
            questions: Vec::new(),
            ..figures("ClickHouse", 2, 400, 0.0)
        };
        let text = table(&figures("convlog", 2, 500, 2.0), &[peer, other], 1_000);
        let line = |start: &str| {
            let line = text
                .lines()
                .find(|line| line.starts_with(&format!("| {start}")));
            let cells = line.unwrap().split('|').map(str::trim);
            cells.collect::<Vec<_>>().join(";")
        };
        assert!(text.starts_with("|  "), "{text}");
        assert_eq!(
            text.lines()
                .next()
                .unwrap()
                .split('|')
                .map(str::trim)
                .collect::<Vec<_>>(),
            [
                "",
                "",
                "convlog",
                "SQLite 3.54.1",
                "times",
                "ClickHouse",
                "times",
                ""
            ]
        );
        assert_eq!(line("ingest"), ";ingest, records/s;500;250;2;500;1;");
        assert_eq!(line("disk"), ";disk, of raw;0.5;1.5;3;0.4;0.8;");
        assert_eq!(line("phrase p50"), ";phrase p50, ms;2;0.5;0.25;-;-;");
        assert_eq!(
            line("phrase, count"),
            ";phrase, count of 7 p50, ms;-;-;-;-;-;"
        );
        assert_eq!(line("export"), ";export, raw MB/s;-;-;-;-;-;");
    }
}
