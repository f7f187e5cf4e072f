//! Requests as they go over the wire.

use std::io::Write as _;

use bytes::Bytes;
use http::Request;
use tower_webhook::error::BoxError;

pub(crate) fn wires(requests: Vec<Request<Bytes>>) -> Result<Vec<Bytes>, BoxError> {
    requests.iter().map(wire).collect()
}

fn wire(request: &Request<Bytes>) -> Result<Bytes, BoxError> {
    let mut wire = Vec::with_capacity(2048);
    write!(wire, "POST / HTTP/1.1\r\n")?;
    for (name, value) in request.headers() {
        write!(wire, "{name}: {}\r\n", value.to_str()?)?;
    }
    wire.extend_from_slice(b"\r\n");
    wire.extend_from_slice(request.body());
    Ok(wire.into())
}
