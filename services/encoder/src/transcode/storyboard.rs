//! Sheets of small pictures for the seek bar, with a WebVTT file that says which part of which sheet is when.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ffmpeg_next as ffmpeg;

use ffmpeg::{format, frame};

use super::error::{Doing, Error};
use super::jpeg::Jpeg;
use crate::facts::Size;

/// The storyboard that is being made.
pub(super) struct Storyboard {
    folder: PathBuf,
    cell: Size,
    columns: u32,
    rows: u32,
    jpeg: Jpeg,
    sheet: Option<frame::Video>,
    /// When each cell begins, in seconds.
    times: Vec<f64>,
    bytes: u64,
}

impl Storyboard {
    pub(super) fn new(folder: PathBuf, cell: Size, columns: u32, rows: u32, quality: u32) -> Result<Self, Error> {
        let sheet = Size { width: cell.width * columns, height: cell.height * rows };
        let jpeg = Jpeg::open(sheet, quality)?;
        Ok(Self { folder, cell, columns, rows, jpeg, sheet: None, times: Vec::new(), bytes: 0 })
    }

    /// Adds the picture that is seen from `time` on.
    pub(super) fn add(&mut self, picture: &frame::Video, time: f64) -> Result<(), Error> {
        let (column, row) = self.place(self.times.len());
        let (columns, rows, cell) = (self.columns, self.rows, self.cell);
        let sheet = self.sheet.get_or_insert_with(|| blank(cell, columns, rows));
        for plane in 0..3 {
            paste(picture, sheet, plane, column, row);
        }
        self.times.push(time);
        if self.times.len().is_multiple_of(self.cells()) { self.write_sheet() } else { Ok(()) }
    }

    /// Writes what is left. Returns the files, the text first, and their bytes.
    pub(super) fn finish(mut self, duration: f64) -> Result<(Vec<String>, u64), Error> {
        self.write_sheet()?;
        let text = self.text(duration);
        let path = self.folder.join("storyboard.vtt");
        fs::write(&path, &text).doing(|| format!("write `{}`", path.display()))?;
        let sheets = (1..=self.times.len().div_ceil(self.cells())).map(|number| format!("{number}.jpg"));
        Ok((std::iter::once("storyboard.vtt".to_owned()).chain(sheets).collect(), self.bytes + text.len() as u64))
    }

    fn cells(&self) -> usize {
        (self.columns * self.rows).max(1) as usize
    }

    /// Column and row of a cell on its sheet.
    fn place(&self, index: usize) -> (usize, usize) {
        let (on_sheet, columns) = (index % self.cells(), self.columns.max(1) as usize);
        (on_sheet % columns, on_sheet / columns)
    }

    fn write_sheet(&mut self) -> Result<(), Error> {
        if let Some(mut sheet) = self.sheet.take() {
            let path = sheet_path(&self.folder, self.times.len().div_ceil(self.cells()));
            self.bytes += self.jpeg.write(&mut sheet, &path)?;
        }
        Ok(())
    }

    fn text(&self, duration: f64) -> String {
        let ends = self.times.iter().skip(1).copied().chain([duration]);
        let mut text = "WEBVTT\n".to_owned();
        for (index, (begin, end)) in self.times.iter().zip(ends).enumerate() {
            let ((column, row), sheet) = (self.place(index), index / self.cells() + 1);
            let Size { width, height } = self.cell;
            let (x, y) = (column * width as usize, row * height as usize);
            let (begin, end) = (stamp(*begin), stamp(end.max(begin + 0.001)));
            // a String takes whatever is written
            let _ = write!(text, "\n{begin} --> {end}\n{sheet}.jpg#xywh={x},{y},{width},{height}\n");
        }
        text
    }
}

fn sheet_path(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{number}.jpg"))
}

/// A time as WebVTT has it.
fn stamp(seconds: f64) -> String {
    let millis = (seconds.max(0.0) * 1000.0).round() as u64;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:03}", millis / 1000 % 60, millis % 1000)
}

fn blank(cell: Size, columns: u32, rows: u32) -> frame::Video {
    let mut sheet = frame::Video::new(format::Pixel::YUVJ420P, cell.width * columns, cell.height * rows);
    for (plane, black) in [(0, 0), (1, 128), (2, 128)] {
        sheet.data_mut(plane).fill(black);
    }
    sheet
}

/// Copies one plane of a cell to its place.
fn paste(picture: &frame::Video, sheet: &mut frame::Video, plane: usize, column: usize, row: usize) {
    let (width, height) = (picture.plane_width(plane) as usize, picture.plane_height(plane) as usize);
    let (from, to) = (picture.stride(plane), sheet.stride(plane));
    let lines = picture.data(plane).chunks(from.max(1)).take(height);
    let places = sheet.data_mut(plane).chunks_mut(to.max(1)).skip(row * height);
    for (line, place) in lines.zip(places) {
        if let (Some(line), Some(place)) = (line.get(..width), place.get_mut(column * width..(column + 1) * width)) {
            place.copy_from_slice(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_webvtt_has_them() {
        assert_eq!(stamp(0.0), "00:00:00.000");
        assert_eq!(stamp(3_723.045_6), "01:02:03.046");
        assert_eq!(stamp(-1.0), "00:00:00.000");
    }

    #[test]
    fn cells_have_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let cell = Size { width: 16, height: 10 };
        let mut board = Storyboard::new(folder.path().to_owned(), cell, 3, 2, 4).unwrap();
        for (index, time) in [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0].into_iter().enumerate() {
            let mut picture = frame::Video::new(format::Pixel::YUVJ420P, 16, 10);
            for plane in 0..3 {
                picture.data_mut(plane).fill(index as u8 * 20);
            }
            board.add(&picture, time).unwrap();
        }
        let (files, bytes) = board.finish(13.5).unwrap();
        assert_eq!(files, ["storyboard.vtt", "1.jpg", "2.jpg"]);
        let text = fs::read_to_string(folder.path().join("storyboard.vtt")).unwrap();
        assert!(text.contains("00:00:08.000 --> 00:00:10.000\n1.jpg#xywh=16,10,16,10\n"), "{text}");
        assert!(text.ends_with("00:00:12.000 --> 00:00:13.500\n2.jpg#xywh=0,0,16,10\n"), "{text}");
        let sheets = ["1.jpg", "2.jpg"].map(|name| fs::metadata(folder.path().join(name)).unwrap().len());
        assert_eq!(sheets.iter().sum::<u64>() + text.len() as u64, bytes);
    }
}
