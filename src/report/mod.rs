//! Released rows and pictures → a page, tables and a workbook. Formats numbers, computes none: a missing number is a
//! missing row. One table layout serves page, CSV and workbook.

pub mod answer;
pub mod layout;
pub mod page;
pub mod section;
pub mod table;
pub mod workbook;

pub use page::{Fact, MethodNote, Page, Section, render};
pub use table::Table;
