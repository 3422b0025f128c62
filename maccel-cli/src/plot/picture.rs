// SPDX-License-Identifier: MIT OR Apache-2.0
//! The picture: sensitivity above, velocity and gain below, as SVG; PNG is made from that.

use anyhow::{Context, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::plot::font;
use crate::plot::line::{Line, Quantity, reach};

/// The size of the picture.
const SIZE: (u32, u32) = (1200, 900);
/// The library draws in whole units, so a unit is an eighth of a pixel. This many in a pixel.
const FINE: u32 = 8;
const WIDTH: u32 = SIZE.0 * FINE;
const HEIGHT: u32 = SIZE.1 * FINE;
/// Pixels of PNG for each pixel of SVG.
const SCALE: f32 = 2.0;

const GROUND: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(36, 41, 47);
const FAINT: RGBColor = RGBColor(226, 230, 235);
/// Colours that people with any colour vision tell apart (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(36, 41, 47),
];

/// Draws lines as SVG.
pub(crate) fn svg(lines: &[Line]) -> anyhow::Result<String> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)).into_drawing_area();
        draw(&root, lines).map_err(|error| anyhow!("cannot draw: {error}"))?;
    }
    // Fine units inside, the usual size outside.
    let fine = format!("width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox");
    let usual = format!("width=\"{}\" height=\"{}\" viewBox", SIZE.0, SIZE.1);
    Ok(text.replacen(&fine, &usual, 1))
}

/// Pixels in units.
#[expect(clippy::cast_possible_wrap, reason = "8")]
const fn px(pixels: i32) -> i32 {
    pixels * FINE as i32
}

/// Makes PNG of SVG, in twice the size.
pub(crate) fn png(svg: &str) -> anyhow::Result<Vec<u8>> {
    let mut options = Options { font_family: font::FAMILY.to_owned(), ..Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(font::DATA.to_vec());
    fonts.set_sans_serif_family(font::FAMILY);
    let tree = Tree::from_str(svg, &options).context("cannot read the drawing")?;
    let size = tree.size().to_int_size().scale_by(SCALE).context("the picture has no size")?;
    let mut pixels =
        Pixmap::new(size.width(), size.height()).context("the picture is too large")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().context("cannot write PNG")
}

type Fault<DB> = DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>;

fn draw<DB: DrawingBackend>(
    root: &DrawingArea<DB, Shift>,
    lines: &[Line],
) -> Result<(), Fault<DB>> {
    root.fill(&GROUND)?;
    let names = u32::try_from(lines.len()).unwrap_or(1);
    let (head, rest) = root.split_vertically((44 + 24 * names) * FINE);
    legend(&head, lines)?;
    let (upper, lower) = rest.split_vertically(rest.dim_in_pixel().1 * 58 / 100);
    let (left, right) = lower.split_horizontally(WIDTH / 2);
    panel(&upper, lines, Quantity::Sensitivity)?;
    panel(&left, lines, Quantity::Velocity)?;
    panel(&right, lines, Quantity::Gain)
}

/// The names of the lines, and what a dashed one means.
fn legend<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    lines: &[Line],
) -> Result<(), Fault<DB>> {
    let text = |size: i32| ("sans-serif", px(size)).into_font().color(&INK);
    area.draw(&Text::new("maccel", (px(24), px(16)), text(26)))?;
    let right = text(15).pos(Pos::new(HPos::Right, VPos::Top));
    let note = if lines.iter().any(|line| line.yx != 1.0) {
        "solid: X axis, dashed: Y axis; speeds in counts/ms at 1000 DPI"
    } else {
        "speeds in counts/ms at 1000 DPI"
    };
    #[expect(clippy::cast_possible_wrap, reason = "a few thousand")]
    area.draw(&Text::new(note, (WIDTH as i32 - px(24), px(22)), right))?;
    for (i, line) in lines.iter().enumerate() {
        let y = px(48 + 24 * i32::try_from(i).unwrap_or(0));
        let colour = COLOURS[i % COLOURS.len()];
        area.draw(&PathElement::new(
            vec![(px(26), y + px(9)), (px(56), y + px(9))],
            colour.stroke_width(3 * FINE),
        ))?;
        let mut name: String = line.name.chars().take(120).collect();
        if line.yx != 1.0 {
            name.push_str(&format!(" (Y/X {})", line.yx_short()));
        }
        area.draw(&Text::new(name, (px(66), y), text(17)))?;
    }
    Ok(())
}

fn panel<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    lines: &[Line],
    quantity: Quantity,
) -> Result<(), Fault<DB>> {
    let (low, high) = reach(lines, quantity);
    let fastest = lines
        .iter()
        .filter_map(|line| line.x(quantity).last().map(|point| point.0))
        .fold(0.1, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin(px(14))
        .margin_right(px(26))
        .caption(quantity.title(), ("sans-serif", px(20)).into_font().color(&INK))
        .x_label_area_size(px(44))
        .y_label_area_size(px(64))
        .build_cartesian_2d(0.0..fastest, low..high)?;
    chart
        .configure_mesh()
        .axis_style(INK.stroke_width(FINE))
        .bold_line_style(FAINT.stroke_width(FINE))
        .light_line_style(GROUND)
        .label_style(("sans-serif", px(14)).into_font().color(&INK))
        .axis_desc_style(("sans-serif", px(15)).into_font().color(&INK))
        .x_desc("input speed [counts/ms]")
        .y_desc(quantity.axis())
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| short(*value))
        .set_all_tick_mark_size(px(5))
        .x_labels(10)
        .y_labels(8)
        .draw()?;
    for (i, line) in lines.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        if let Some(points) = line.y(quantity) {
            let dashes = DashedLineSeries::new(points, px(9), px(6), colour.stroke_width(2 * FINE));
            chart.draw_series(dashes)?;
        }
        chart.draw_series(LineSeries::new(line.x(quantity), colour.stroke_width(3 * FINE)))?;
    }
    Ok(())
}

/// A label without needless zeros.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use maccel_core::settings::{Mode, Settings};

    use super::*;

    fn lines() -> Vec<Line> {
        let mut natural = Settings::default();
        natural.set_mode(Mode::Natural).unwrap();
        let mut other = natural.clone();
        other.set("LIMIT", 3.0).unwrap();
        other.set("YX_RATIO", 1.2).unwrap();
        vec![Line::sampled("one", &natural, 80.0), Line::sampled("two & <three>", &other, 80.0)]
    }

    #[test]
    fn a_picture_has_three_panels_and_names_its_lines() {
        let svg = svg(&lines()).unwrap();
        for text in ["Sensitivity", "Velocity", "Gain", "one", "two &amp; &lt;three&gt; (Y/X 1.2)"]
        {
            assert!(svg.contains(text), "{text}");
        }
        assert_eq!(svg, super::svg(&lines()).unwrap(), "it differs each time");
    }

    #[test]
    fn png_is_twice_as_large_and_has_written_words() {
        let with = png(&svg(&lines()).unwrap()).unwrap();
        let image = Pixmap::decode_png(&with).unwrap();
        assert_eq!((image.width(), image.height()), (2400, 1800));
        let mut nameless = lines();
        nameless.iter_mut().for_each(|line| line.name.clear());
        assert_ne!(with, png(&svg(&nameless).unwrap()).unwrap(), "the names are not visible");
    }
}
