//! A receiver that stays, and lines of curl to try on it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use tower_webhook::encoding::Encoding;
use tower_webhook::error::BoxError;

use crate::books::Books;
use crate::common::{Folder, Who};
use crate::keys::{MAMBU_PASSWORD, MAMBU_USER, Which};
use crate::messages::fresh;
use crate::sender::seal;
use crate::server::Running;

/// Serves until Ctrl-C, and lets what is in hand finish.
pub(crate) async fn until_ctrl_c() -> Result<(), BoxError> {
    let folder = Folder::new()?;
    let running = Running::start(&Books::for_people(), None, &folder.0, 0).await?;
    println!("{}", lines(running.address)?);
    tokio::signal::ctrl_c().await?;
    println!("\ndraining");
    running.drain().await;
    running.stop().await
}

fn lines(to: SocketAddr) -> Result<String, BoxError> {
    let plain = |who, which| -> Result<String, BoxError> {
        let request = seal(who, which, fresh(who, "curl-1"))?;
        let body = std::str::from_utf8(request.body())?.to_owned();
        Ok(format!("curl -i http://{to}{} {}\\\n  --data-binary '{body}'", who.path(), options(&request)?))
    };
    let mambu = plain(Who::Mambu, Which::Current)?;
    let aella = plain(Who::Aella, Which::Current)?;
    let opp = plain(Who::Opp, Which::Current)?;
    let bank = seal(Who::Bank, Which::Current, fresh(Who::Bank, "curl-1"))?;
    let binary = Encoding::Base64.encode(bank.body());
    let bank =
        format!("echo {binary} \\\n  | base64 -d | curl -i http://{to}/bank {}--data-binary @-", options(&bank)?);
    let forged = plain(Who::Aella, Which::Strange)?;
    Ok(format!(
        "listening on http://{to}; Ctrl-C ends it\n\n\
         # Good ones. Send one twice: the second answer says idempotent-replayed, and nothing is handled.\n\
         # What is stored here is gone when this ends; an application keeps its file.\n\n\
         {mambu}\n\n{aella}\n\n{opp}\n\n{bank}\n\n\
         # A forged one: signed with a key that is not ours.\n\n{forged}\n"
    ))
}

/// The request's headers as options of curl.
fn options(request: &Request<Bytes>) -> Result<String, BoxError> {
    let mut options = String::new();
    for (name, value) in request.headers() {
        match name.as_str() {
            "authorization" => options.push_str(&format!("-u '{MAMBU_USER}:{MAMBU_PASSWORD}' ")),
            name => options.push_str(&format!("\\\n  -H '{name}: {}' ", value.to_str()?)),
        }
    }
    Ok(options)
}
