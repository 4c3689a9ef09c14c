//! The manifest, the READMEs and the files of `datasets/` say the same.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use polars::prelude::{ArrowDataType, ArrowTimeUnit};
use polars_io::SerReader;
use polars_io::parquet::read::ParquetReader;
use serde_json::Value;
use sha2::{Digest, Sha256};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets")
}

fn sets() -> Vec<Value> {
    let text = fs::read_to_string(folder().join("manifest.json")).expect("the manifest is there");
    let manifest: Value = serde_json::from_str(&text).expect("the manifest is JSON");
    manifest["datasets"]
        .as_array()
        .expect("a list of data sets")
        .clone()
}

fn word<'a>(set: &'a Value, field: &str) -> &'a str {
    set[field]
        .as_str()
        .unwrap_or_else(|| panic!("{} has no `{field}`", set["name"]))
}

fn number(set: &Value, field: &str) -> usize {
    set[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{} has no `{field}`", set["name"])) as usize
}

fn dtype_name(dtype: &ArrowDataType) -> String {
    match dtype {
        ArrowDataType::Timestamp(ArrowTimeUnit::Millisecond, Some(zone)) => {
            format!("datetime[ms, {zone}]")
        }
        ArrowDataType::Dictionary(..) => "cat".into(),
        ArrowDataType::Utf8View | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8 => "str".into(),
        ArrowDataType::Int8 => "i8".into(),
        ArrowDataType::Int16 => "i16".into(),
        ArrowDataType::Int32 => "i32".into(),
        ArrowDataType::Int64 => "i64".into(),
        ArrowDataType::Float64 => "f64".into(),
        other => format!("{other:?}"),
    }
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn manifest_lists_exactly_the_folders_that_are_there() {
    let mut listed: Vec<String> = sets()
        .iter()
        .map(|set| word(set, "name").to_owned())
        .collect();
    let mut there: Vec<String> = fs::read_dir(folder())
        .expect("the folder is there")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    listed.sort();
    there.sort();
    assert_eq!(listed, there);
    assert_eq!(
        listed,
        [
            "airlines",
            "buoy",
            "flight_weather",
            "flights",
            "motes",
            "pv_minute",
            "quakes",
            "ride"
        ]
    );
}

#[test]
fn files_have_the_bytes_and_checksum_of_the_manifest() {
    for set in sets() {
        let bytes = fs::read(folder().join(word(&set, "file"))).expect("the file is there");
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            (bytes.len(), digest.as_str()),
            (number(&set, "bytes"), word(&set, "sha256")),
            "{}",
            set["name"]
        );
    }
}

#[test]
fn files_have_the_rows_columns_and_dtypes_of_the_manifest() {
    for set in sets() {
        let file = File::open(folder().join(word(&set, "file"))).expect("the file is there");
        let mut reader = ParquetReader::new(file);
        let schema = reader.schema().expect("a Parquet file");
        let columns: Vec<(String, String)> = schema
            .iter_values()
            .map(|field| (field.name.to_string(), dtype_name(field.dtype())))
            .collect();
        let listed: Vec<(String, String)> = set["columns"]
            .as_array()
            .expect("a list of columns")
            .iter()
            .map(|column| {
                (
                    word(column, "name").to_owned(),
                    word(column, "dtype").to_owned(),
                )
            })
            .collect();
        assert_eq!(columns, listed, "{}", set["name"]);
        assert_eq!(
            reader.num_rows().expect("a Parquet file"),
            number(&set, "rows"),
            "{}",
            set["name"]
        );
    }
}

#[test]
fn columns_have_the_nulls_of_the_manifest() {
    for set in sets() {
        let frame =
            headwater_streams::dataset(word(&set, "name")).expect("the streams find it by name");
        for column in set["columns"].as_array().expect("a list of columns") {
            let name = word(column, "name");
            let nulls = frame
                .column(name)
                .expect("the column is there")
                .null_count();
            assert_eq!(nulls, number(column, "nulls"), "{} {name}", set["name"]);
        }
    }
}

#[test]
fn readmes_name_source_licence_checksum_size_and_every_column_with_its_unit() {
    for set in sets() {
        let name = word(&set, "name");
        let text =
            fs::read_to_string(folder().join(name).join("README.md")).expect("a README a set");
        let size = format!(
            "{} rows, {} columns, {} bytes",
            thousands(number(&set, "rows")),
            set["columns"].as_array().map_or(0, Vec::len),
            thousands(number(&set, "bytes"))
        );
        let licence = format!("Licence: {}", word(&set, "licence"));
        for wanted in [
            word(&set, "source"),
            word(&set, "attribution"),
            word(&set, "sha256"),
            &licence,
            &size,
        ] {
            assert!(
                text.contains(wanted),
                "{name}/README.md does not say `{wanted}`"
            );
        }
        for column in set["columns"].as_array().expect("a list of columns") {
            let unit = column["unit"].as_str().unwrap_or("-");
            let row = format!(
                "| `{}` | {} | {unit} | {} |",
                word(column, "name"),
                word(column, "dtype"),
                thousands(number(column, "nulls"))
            );
            assert!(text.contains(&row), "{name}/README.md has no line `{row}`");
        }
    }
}
