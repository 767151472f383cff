//! Arrow arrays → text. Missing is nothing; a value of a kind that has no text is [`NO_TEXT`].
//!
//! Numbers are the shortest text that reads back as the same number, without an exponent; `NaN`, by which many
//! programs mark a missing number, is missing. Days are `2026-03-02`; moments are `2026-03-02T10:30:00`, in the zone
//! that the column names and with its offset, and just the day at midnight. Lists are joined by `;`.

use super::unread::NO_TEXT;
use arrow::array::timezone::Tz;
use arrow::array::{
    Array, ArrowPrimitiveType, AsArray, FixedSizeBinaryArray, OffsetSizeTrait, PrimitiveArray, downcast_integer_array,
};
use arrow::datatypes::{
    ArrowDictionaryKeyType, ArrowTemporalType, ArrowTimestampType, DataType, Date32Type, Date64Type, Decimal32Type,
    Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float16Type, Float32Type, Float64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::downcast_dictionary_array;
use chrono::{NaiveDateTime, Timelike};
use std::fmt::Write as _;
use std::ops::Range;

/// Adds the text of the value at a place to a text.
pub(super) type Write<'a> = Box<dyn Fn(usize, &mut String) + 'a>;

/// How the values of an array are written.
pub(super) fn writer<'a>(array: &'a dyn Array) -> Write<'a> {
    let write = value_writer(array);
    Box::new(move |row, text| {
        if array.is_valid(row) {
            write(row, text);
        }
    })
}

fn value_writer<'a>(array: &'a dyn Array) -> Write<'a> {
    downcast_integer_array! {
        array => Box::new(move |row, text| put(text, array.value(row))),
        DataType::Null => Box::new(|_, _| {}),
        DataType::Boolean => {
            let array = array.as_boolean();
            Box::new(move |row, text| put(text, array.value(row)))
        }
        DataType::Float16 => floats::<Float16Type>(array),
        DataType::Float32 => floats::<Float32Type>(array),
        DataType::Float64 => floats::<Float64Type>(array),
        DataType::Decimal32(..) => decimals::<Decimal32Type>(array),
        DataType::Decimal64(..) => decimals::<Decimal64Type>(array),
        DataType::Decimal128(..) => decimals::<Decimal128Type>(array),
        DataType::Decimal256(..) => decimals::<Decimal256Type>(array),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => texts(array),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => bytes(array),
        DataType::Dictionary(..) => dictionary(array),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => lists(array),
        _ => moments(array)
    }
}

fn put(text: &mut String, value: impl std::fmt::Display) {
    // Writing to a `String` cannot fail.
    let _ = write!(text, "{value}");
}

fn no_text<'a>() -> Write<'a> {
    Box::new(|_, text| text.push_str(NO_TEXT))
}

fn floats<T: ArrowPrimitiveType>(array: &dyn Array) -> Write<'_>
where
    T::Native: std::fmt::Display + PartialOrd + Default,
{
    let array: &PrimitiveArray<T> = array.as_primitive();
    let zero = T::Native::default();
    Box::new(move |row, text| {
        let value = array.value(row);
        // Only what is not a number has no order to itself.
        if value.partial_cmp(&value).is_some() {
            // A negative zero is a zero.
            put(text, if value == zero { zero } else { value });
        }
    })
}

fn decimals<T: DecimalType>(array: &dyn Array) -> Write<'_> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    Box::new(move |row, text| text.push_str(&array.value_as_string(row)))
}

fn texts<'a>(array: &'a dyn Array) -> Write<'a> {
    match array.data_type() {
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            Box::new(move |row, text| text.push_str(array.value(row)))
        }
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>();
            Box::new(move |row, text| text.push_str(array.value(row)))
        }
        _ => {
            let array = array.as_string_view();
            Box::new(move |row, text| text.push_str(array.value(row)))
        }
    }
}

/// Bytes that are text are text (some programs do not say that theirs is); sixteen of them are a UUID.
fn bytes<'a>(array: &'a dyn Array) -> Write<'a> {
    let put_bytes = |bytes: &[u8], text: &mut String| text.push_str(str::from_utf8(bytes).unwrap_or(NO_TEXT));
    match array.data_type() {
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            Box::new(move |row, text| put_bytes(array.value(row), text))
        }
        DataType::LargeBinary => {
            let array = array.as_binary::<i64>();
            Box::new(move |row, text| put_bytes(array.value(row), text))
        }
        DataType::BinaryView => {
            let array = array.as_binary_view();
            Box::new(move |row, text| put_bytes(array.value(row), text))
        }
        DataType::FixedSizeBinary(16) => {
            let array: &FixedSizeBinaryArray = array.as_fixed_size_binary();
            Box::new(move |row, text| put_uuid(array.value(row), text))
        }
        _ => {
            let array: &FixedSizeBinaryArray = array.as_fixed_size_binary();
            Box::new(move |row, text| put_bytes(array.value(row), text))
        }
    }
}

fn put_uuid(bytes: &[u8], text: &mut String) {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
}

fn dictionary<'a>(array: &'a dyn Array) -> Write<'a> {
    fn of<'a, K: ArrowDictionaryKeyType>(array: &'a arrow::array::DictionaryArray<K>) -> Write<'a> {
        let write = writer(array.values().as_ref());
        Box::new(move |row, text| {
            if let Some(key) = array.key(row) {
                write(key, text);
            }
        })
    }
    downcast_dictionary_array! {
        array => of(array),
        _ => no_text()
    }
}

fn lists<'a>(array: &'a dyn Array) -> Write<'a> {
    fn of<O: OffsetSizeTrait>(array: &dyn Array) -> Write<'_> {
        let array = array.as_list::<O>();
        let offsets = array.value_offsets();
        joined(array.values().as_ref(), move |row| offsets[row].as_usize()..offsets[row + 1].as_usize())
    }
    match array.data_type() {
        DataType::List(_) => of::<i32>(array),
        DataType::LargeList(_) => of::<i64>(array),
        _ => {
            let array = array.as_fixed_size_list();
            let length = usize::try_from(array.value_length()).unwrap_or(0);
            joined(array.values().as_ref(), move |row| row * length..(row + 1) * length)
        }
    }
}

/// The items of a list, those that are there.
fn joined<'a>(items: &'a dyn Array, range: impl Fn(usize) -> Range<usize> + 'a) -> Write<'a> {
    let write = writer(items);
    Box::new(move |row, text| {
        let start = text.len();
        for item in range(row).filter(|item| items.is_valid(*item)) {
            if text.len() > start {
                text.push(';');
            }
            write(item, text);
        }
    })
}

fn moments<'a>(array: &'a dyn Array) -> Write<'a> {
    match array.data_type() {
        DataType::Date32 => days::<Date32Type>(array),
        DataType::Date64 => days::<Date64Type>(array),
        DataType::Timestamp(TimeUnit::Second, zone) => instants::<TimestampSecondType>(array, zone.as_deref()),
        DataType::Timestamp(TimeUnit::Millisecond, zone) => {
            instants::<TimestampMillisecondType>(array, zone.as_deref())
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            instants::<TimestampMicrosecondType>(array, zone.as_deref())
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => instants::<TimestampNanosecondType>(array, zone.as_deref()),
        DataType::Time32(TimeUnit::Second) => times::<Time32SecondType>(array),
        DataType::Time32(_) => times::<Time32MillisecondType>(array),
        DataType::Time64(TimeUnit::Microsecond) => times::<Time64MicrosecondType>(array),
        DataType::Time64(_) => times::<Time64NanosecondType>(array),
        DataType::Duration(TimeUnit::Second) => spans::<DurationSecondType>(array),
        DataType::Duration(TimeUnit::Millisecond) => spans::<DurationMillisecondType>(array),
        DataType::Duration(TimeUnit::Microsecond) => spans::<DurationMicrosecondType>(array),
        DataType::Duration(TimeUnit::Nanosecond) => spans::<DurationNanosecondType>(array),
        _ => no_text(),
    }
}

fn put_or_no_text(text: &mut String, value: Option<impl std::fmt::Display>) {
    match value {
        Some(value) => put(text, value),
        None => text.push_str(NO_TEXT),
    }
}

fn days<T: ArrowTemporalType>(array: &dyn Array) -> Write<'_>
where
    i64: From<T::Native>,
{
    let array: &PrimitiveArray<T> = array.as_primitive();
    Box::new(move |row, text| put_or_no_text(text, array.value_as_date(row)))
}

fn times<T: ArrowTemporalType>(array: &dyn Array) -> Write<'_>
where
    i64: From<T::Native>,
{
    let array: &PrimitiveArray<T> = array.as_primitive();
    Box::new(move |row, text| put_or_no_text(text, array.value_as_time(row).map(|time| time.format("%H:%M:%S%.f"))))
}

/// Moments: as they stand where the column names no zone, else as the clocks of the zone show them.
fn instants<'a, T: ArrowTimestampType>(array: &'a dyn Array, zone: Option<&str>) -> Write<'a> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    match zone.map(str::parse::<Tz>) {
        None => Box::new(move |row, text| match array.value_as_datetime(row) {
            Some(moment) => put_moment(text, moment, ""),
            None => text.push_str(NO_TEXT),
        }),
        Some(Ok(zone)) => Box::new(move |row, text| match array.value_as_datetime_with_tz(row, zone) {
            Some(moment) => put_moment(text, moment.naive_local(), &moment.format("%:z").to_string()),
            None => text.push_str(NO_TEXT),
        }),
        Some(Err(_)) => no_text(),
    }
}

fn put_moment(text: &mut String, moment: NaiveDateTime, offset: &str) {
    if moment.num_seconds_from_midnight() == 0 && moment.nanosecond() == 0 {
        put(text, moment.date());
    } else {
        put(text, moment.format("%Y-%m-%dT%H:%M:%S%.f"));
        text.push_str(offset);
    }
}

/// Spans of time: whole days where they are, else hours, minutes and seconds.
fn spans<T: ArrowTemporalType>(array: &dyn Array) -> Write<'_>
where
    i64: From<T::Native>,
{
    const DAY_SECONDS: i64 = 86_400;
    let array: &PrimitiveArray<T> = array.as_primitive();
    Box::new(move |row, text| {
        let Some(span) = array.value_as_duration(row) else { return text.push_str(NO_TEXT) };
        let seconds = span.num_seconds();
        if seconds % DAY_SECONDS == 0 && span.subsec_nanos() == 0 {
            put(text, format_args!("{} days", seconds / DAY_SECONDS));
        } else {
            let (sign, seconds) = if seconds < 0 { ("-", -seconds) } else { ("", seconds) };
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            put(text, format_args!("{sign}{hours:02}:{minutes:02}:{:02}", seconds % 60));
        }
    })
}
