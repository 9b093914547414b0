//! What lines and marks look like, so that they can be told apart by colour, and without it.

use plotters::style::RGBColor;

/// Okabe and Ito's colours, those that are dark enough for a line on white first.
pub(super) const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// Lengths of strokes and of the gaps behind them, in pixels; none is a whole line.
const DASHES: [&[f64]; 7] = [
    &[],
    &[11.0, 5.0],
    &[2.5, 4.0],
    &[12.0, 4.0, 2.5, 4.0],
    &[6.0, 3.0],
    &[18.0, 5.0],
    &[8.0, 3.0, 2.5, 3.0, 2.5, 3.0],
];

/// The strokes of something thin and grey, to compare with.
pub(super) const REFERENCE: usize = 4;

/// A place on a picture, in pixels.
pub(super) type Pixel = (i32, i32);

/// Corners of marks, around the middle, about a circle of radius 1: round, and then ever harder to mistake for it.
const MARKS: [&[(f64, f64)]; 6] = [
    &[
        (1.0, 0.0),
        (0.87, 0.5),
        (0.5, 0.87),
        (0.0, 1.0),
        (-0.5, 0.87),
        (-0.87, 0.5),
        (-1.0, 0.0),
        (-0.87, -0.5),
        (-0.5, -0.87),
        (0.0, -1.0),
        (0.5, -0.87),
        (0.87, -0.5),
    ],
    &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
    &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
    &[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)],
    &[(-1.3, -0.4), (1.3, -0.4), (1.3, 0.4), (-1.3, 0.4)],
];

/// The colour of the series with this number.
pub(super) fn colour(number: usize) -> RGBColor {
    COLOURS[number % COLOURS.len()]
}

/// The outline of a mark of the series with this number.
pub(super) fn mark(number: usize, at: Pixel, radius: f64) -> Vec<Pixel> {
    let corner =
        |(x, y): &(f64, f64)| (at.0 + (x * radius).round() as i32, at.1 + (y * radius).round() as i32);
    MARKS[number % MARKS.len()].iter().map(corner).collect()
}

/// A line cut into the strokes of the series with this number.
pub(super) fn strokes(number: usize, line: &[Pixel]) -> Vec<Vec<Pixel>> {
    let pattern = DASHES[number % DASHES.len()];
    if pattern.is_empty() || line.len() < 2 {
        return vec![line.to_vec()];
    }
    let mut strokes = Vec::new();
    let mut lengths = pattern.iter().copied().cycle();
    let (mut is_drawn, mut left) = (true, lengths.next().unwrap_or(1.0));
    let mut stroke = vec![line[0]];
    for pair in line.windows(2) {
        let (from, to) =
            ((f64::from(pair[0].0), f64::from(pair[0].1)), (f64::from(pair[1].0), f64::from(pair[1].1)));
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut gone = 0.0;
        while length - gone > left {
            gone += left;
            let share = gone / length;
            let at = (
                (from.0 + (to.0 - from.0) * share).round() as i32,
                (from.1 + (to.1 - from.1) * share).round() as i32,
            );
            if is_drawn {
                stroke.push(at);
                strokes.push(std::mem::take(&mut stroke));
            } else {
                stroke = vec![at];
            }
            is_drawn = !is_drawn;
            left = lengths.next().unwrap_or(1.0);
        }
        left -= length - gone;
        if is_drawn {
            stroke.push(pair[1]);
        }
    }
    if is_drawn && stroke.len() > 1 {
        strokes.push(stroke);
    }
    strokes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strokes_go_on_around_corners() {
        assert_eq!(strokes(0, &[(0, 0), (9, 0)]), [[(0, 0), (9, 0)]]);
        // Strokes of 11 with gaps of 5, over 20 to the right and 20 down.
        let cut = strokes(1, &[(0, 0), (20, 0), (20, 20)]);
        assert_eq!(cut, [vec![(0, 0), (11, 0)], vec![(16, 0), (20, 0), (20, 7)], vec![(20, 12), (20, 20)]]);
        assert_eq!(strokes(1, &[(5, 5)]), [[(5, 5)]]);
    }
}
