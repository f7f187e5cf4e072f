//! CSV after RFC 4180, read strictly: a file that is damaged is told, and no field is guessed at.

use std::io::BufRead;

use super::rows::{Each, Rows};

/// Whoever takes it for no end of a line reads all that follows as one.
const RETURN: &str = "a line ends with a carriage return alone";

/// What may divide fields, where the header has it.
const DELIMITERS: [char; 3] = [',', ';', '\t'];

pub(super) fn read(rows: &mut Rows<impl BufRead>, column: &str, each: Each<'_>) -> Result<(), String> {
    let header = record(rows)?.ok_or("it is empty")?;
    let divided = |delimiter| Some((delimiter, split(&header, delimiter).ok()?));
    let has_it = |(_, names): &(char, Vec<String>)| names.iter().any(|name| name == column);
    let none = || match header.contains('\r') {
        true => RETURN.to_owned(),
        false => format!("the header has no column {column}, whether commas, semicolons or tabs divide it"),
    };
    let (delimiter, names) = DELIMITERS.into_iter().filter_map(divided).find(has_it).ok_or_else(|| rows.at(&none()))?;
    if names.iter().filter(|name| *name == column).count() > 1 {
        return Err(rows.at(&format!("the header has the column {column} twice")));
    }
    let place = names.iter().position(|name| name == column);
    while let Some(text) = record(rows)? {
        let fields = split(&text, delimiter).map_err(|why| rows.at(why))?;
        if fields.len() != names.len() {
            return Err(rows.at(&format!("{} fields, and the header has {}", fields.len(), names.len())));
        }
        let reference = place.and_then(|place| fields.get(place)).map_or("", String::as_str);
        each(reference).map_err(|why| rows.at(&why))?;
    }
    Ok(())
}

/// The next record that says something, without its end. While a quote is open the next line is of it too.
fn record(rows: &mut Rows<impl BufRead>) -> Result<Option<String>, String> {
    loop {
        let mut record = Vec::new();
        let mut is_open = false;
        while record.is_empty() || is_open {
            let begun = record.len();
            if !rows.line(&mut record)? {
                return if is_open { Err(rows.at("a quote is not closed")) } else { Ok(None) };
            }
            let quotes = record.iter().skip(begun).filter(|byte| **byte == b'"').count();
            is_open ^= quotes % 2 == 1;
        }
        let mut text = String::from_utf8(record).map_err(|_| rows.at("it is no UTF-8"))?;
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
        if !text.is_empty() {
            return Ok(Some(text));
        }
    }
}

fn split(record: &str, delimiter: char) -> Result<Vec<String>, &'static str> {
    let mut fields = Vec::new();
    let mut rest = record;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => {
                let (field, after) = rest.split_at(rest.find(delimiter).unwrap_or(rest.len()));
                if field.contains('"') {
                    return Err("a quote stands inside a field that does not begin with one");
                }
                if field.contains('\r') {
                    return Err(RETURN);
                }
                (field.to_owned(), after)
            }
        };
        fields.push(field);
        match after.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Err("something stands behind the quote that closes a field"),
        }
    }
}

/// A field up to the quote that closes it, and what follows.
fn quoted(inside: &str) -> Result<(String, &str), &'static str> {
    let mut field = String::new();
    let mut rest = inside;
    loop {
        let (part, after) = rest.split_once('"').ok_or("a quote is not closed")?;
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => rest = more,
            None => return Ok((field, after)),
        }
        field.push('"');
    }
}
