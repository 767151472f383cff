//! The four kinds of workbook behind one face: their sheets, and the cells of a sheet in the order of its rows.
//!
//! XLSX and XLSB are read as a stream; XLS and ODS are held in memory, which `unpacked` bounds.

use super::WHAT;
use super::unpacked::Kind;
use crate::ingest::IngestError;
use crate::ingest::feed::Stop;
use crate::ingest::unread::{NOT_CALCULATED, SOME_ERROR};
use calamine::{
    CellType, Data, Ods, OdsError, Range, Reader as _, SheetType, SheetVisible, Xls, XlsError, Xlsb, XlsbError, Xlsx,
    XlsxError, XlsxFormulaMetadata,
};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

type Input = BufReader<File>;
/// Takes a cell: row and column from 0, and what stands there.
pub(super) type Take<'t> = &'t mut dyn FnMut(u32, u32, Data) -> Result<(), Stop>;

enum Opened {
    Xlsx(Xlsx<Input>),
    Xlsb(Xlsb<Input>),
    Xls(Xls<Input>),
    /// With whether some formulas have no saved result.
    Ods(Ods<Input>, bool),
}

/// An opened workbook.
pub(super) struct Book {
    path: PathBuf,
    opened: Opened,
}

impl Book {
    pub(super) fn open(kind: Kind, file: File, path: PathBuf) -> Result<Book, IngestError> {
        let again = file.try_clone();
        let input = BufReader::new(file);
        let opened = match kind {
            Kind::Xlsx => Xlsx::new(input).map(Opened::Xlsx).map_err(Trouble::from),
            Kind::Xlsb => Xlsb::new(input).map(Opened::Xlsb).map_err(Trouble::from),
            Kind::Ods { bare_formulas } => {
                Ods::new(input).map(|book| Opened::Ods(book, bare_formulas)).map_err(Trouble::from)
            }
            // An encrypted XLSX lies in the envelope of an XLS.
            Kind::Xls => Xls::new(input).map(Opened::Xls).map_err(|error| {
                match again.map(|file| Xlsx::new(BufReader::new(file)).map(|_| ())) {
                    Ok(Err(XlsxError::Password)) => Trouble::Encrypted,
                    _ => Trouble::from(error),
                }
            }),
        };
        match opened {
            Ok(opened) => Ok(Book { path, opened }),
            Err(trouble) => Err(trouble.of(path)),
        }
    }

    /// The names of the sheets, those that are shown first.
    pub(super) fn sheets(&self) -> Vec<String> {
        let sheets = match &self.opened {
            Opened::Xlsx(book) => book.sheets_metadata(),
            Opened::Xlsb(book) => book.sheets_metadata(),
            Opened::Xls(book) => book.sheets_metadata(),
            Opened::Ods(book, _) => book.sheets_metadata(),
        };
        let tables = || sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let shown = tables().filter(|sheet| sheet.visible == SheetVisible::Visible);
        let hidden = tables().filter(|sheet| sheet.visible != SheetVisible::Visible);
        shown.chain(hidden).map(|sheet| sheet.name.clone()).collect()
    }

    /// Whether a sheet holds anything but formats and space.
    pub(super) fn has_content(&mut self, sheet: &str) -> Result<bool, Stop> {
        let filled = |value: &Data| !matches!(value, Data::Empty) && value != "";
        let looked =
            self.each_cell(sheet, &mut |_, _, value| if filled(&value) { Err(Stop::Unwanted) } else { Ok(()) });
        match looked {
            Ok(()) => Ok(false),
            Err(Stop::Unwanted) => Ok(true),
            Err(failed) => Err(failed),
        }
    }

    /// Hands over the cells of a sheet.
    pub(super) fn each_cell(&mut self, sheet: &str, take: Take<'_>) -> Result<(), Stop> {
        let path = self.path.clone();
        let failed = move |trouble: Trouble| match trouble {
            Trouble::Stopped(stop) => stop,
            trouble => Stop::Failed(trouble.of(path)),
        };
        match &mut self.opened {
            Opened::Xlsx(book) => xlsx_cells(book, sheet, take).map_err(failed),
            Opened::Xlsb(book) => xlsb_cells(book, sheet, take).map_err(failed),
            Opened::Xls(book) => {
                let values = book.worksheet_range(sheet).map_err(|error| failed(error.into()))?;
                let formulas = book.worksheet_formula(sheet).unwrap_or_default();
                range_cells(&values, &formulas, take)
            }
            Opened::Ods(book, bare_formulas) => {
                let values = book.worksheet_range(sheet).map_err(|error| failed(error.into()))?;
                // A formula that gave an empty text looks like one without a result.
                let formulas = bare_formulas.then(|| book.worksheet_formula(sheet).unwrap_or_default());
                let formulas = formulas.unwrap_or_default();
                range_cells(&values, &formulas, take)
            }
        }
    }
}

fn xlsx_cells(book: &mut Xlsx<Input>, sheet: &str, take: Take<'_>) -> Result<(), Trouble> {
    let mut cells = book.worksheet_cells_reader(sheet)?;
    while let Some(cell) = cells.next_cell_with_formula_metadata()? {
        let value = match (Data::from(cell.value), cell.formula) {
            (Data::Empty, Some(formula)) if is_calculated(&formula) => Data::String(NOT_CALCULATED.to_owned()),
            (value, _) => value,
        };
        take(cell.pos.0, cell.pos.1, value)?;
    }
    Ok(())
}

/// Whether a formula stands there at all: an empty element is none.
fn is_calculated(formula: &XlsxFormulaMetadata) -> bool {
    match formula {
        XlsxFormulaMetadata::Normal { formula } => !formula.is_empty(),
        _ => true,
    }
}

/// The reader of this format passes over formulas that gave an error: they are found by their formulas.
fn xlsb_cells(book: &mut Xlsb<Input>, sheet: &str, take: Take<'_>) -> Result<(), Trouble> {
    let mut formulas = Vec::new();
    let mut reader = book.worksheet_cells_reader(sheet)?;
    while let Some(cell) = reader.next_formula()? {
        formulas.push(cell.get_position());
    }
    drop(reader);
    let mut waiting = formulas.into_iter().peekable();
    let mut cells = book.worksheet_cells_reader(sheet)?;
    while let Some(cell) = cells.next_cell()? {
        let position = cell.get_position();
        while let Some((row, column)) = waiting.next_if(|formula| *formula < position) {
            take(row, column, Data::String(SOME_ERROR.to_owned()))?;
        }
        waiting.next_if_eq(&position);
        take(position.0, position.1, Data::from(cell.get_value().clone()))?;
    }
    for (row, column) in waiting {
        take(row, column, Data::String(SOME_ERROR.to_owned()))?;
    }
    Ok(())
}

/// The cells of a sheet in memory; a formula without a value is handed over as such.
fn range_cells(values: &Range<Data>, formulas: &Range<String>, take: Take<'_>) -> Result<(), Stop> {
    let (top, left) = start(values);
    let (formula_top, formula_left) = start(formulas);
    let bare = formulas.used_cells().filter_map(|(row, column, _)| {
        let position = (formula_top + index(row), formula_left + index(column));
        matches!(values.get_value(position), None | Some(Data::Empty)).then_some(position)
    });
    let mut waiting = bare.peekable();
    for (row, column, value) in values.used_cells() {
        let position = (top + index(row), left + index(column));
        while let Some((row, column)) = waiting.next_if(|formula| *formula < position) {
            take(row, column, Data::String(NOT_CALCULATED.to_owned()))?;
        }
        take(position.0, position.1, value.clone())?;
    }
    waiting.try_for_each(|(row, column)| take(row, column, Data::String(NOT_CALCULATED.to_owned())))
}

fn start<T: CellType>(range: &Range<T>) -> (u32, u32) {
    range.start().unwrap_or_default()
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Why a workbook cannot be read.
enum Trouble {
    Encrypted,
    Io(std::io::Error),
    Broken(String),
    /// Whoever takes the cells has stopped.
    Stopped(Stop),
}

impl Trouble {
    fn of(self, path: PathBuf) -> IngestError {
        let broken = |detail| IngestError::Broken { path: path.clone(), format: WHAT, detail };
        match self {
            Trouble::Encrypted => IngestError::Encrypted { path },
            Trouble::Io(source) => IngestError::Io { path, source },
            Trouble::Broken(detail) => broken(detail),
            Trouble::Stopped(_) => broken("it was not read to its end".to_owned()),
        }
    }
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Trouble {
        Trouble::Stopped(stop)
    }
}

/// Bytes that end too early or do not unpack are a damaged file, not a disk that failed.
fn from_io(error: std::io::Error) -> Trouble {
    use std::io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    match error.kind() {
        InvalidData | InvalidInput | UnexpectedEof | Other => Trouble::Broken(error.to_string()),
        _ => Trouble::Io(error),
    }
}

impl From<XlsxError> for Trouble {
    fn from(error: XlsxError) -> Trouble {
        match error {
            XlsxError::Password => Trouble::Encrypted,
            XlsxError::Io(error) => from_io(error),
            error => Trouble::Broken(error.to_string()),
        }
    }
}

impl From<XlsbError> for Trouble {
    fn from(error: XlsbError) -> Trouble {
        match error {
            XlsbError::Password => Trouble::Encrypted,
            XlsbError::Io(error) => from_io(error),
            error => Trouble::Broken(error.to_string()),
        }
    }
}

impl From<XlsError> for Trouble {
    fn from(error: XlsError) -> Trouble {
        match error {
            XlsError::Password => Trouble::Encrypted,
            XlsError::Io(error) => from_io(error),
            error => Trouble::Broken(error.to_string()),
        }
    }
}

impl From<OdsError> for Trouble {
    fn from(error: OdsError) -> Trouble {
        match error {
            OdsError::Password => Trouble::Encrypted,
            OdsError::Io(error) => from_io(error),
            error => Trouble::Broken(error.to_string()),
        }
    }
}
