// SPDX-License-Identifier: MIT OR Apache-2.0
use std::collections::HashMap;

use zbus::proxy::{Builder, CacheProperties};
use zbus::{Connection, Proxy, Variant};

async fn sensitivity() -> zbus::Result<()> {
    let maccel: Proxy<'_> = Builder::new(&Connection::system().await?)
        .destination("org.vespera.Agent1")
        .path("/org/vespera/Agent1")
        .interface("org.vespera.Agent1.Maccel")
        .cache_properties(CacheProperties::No)
        .build()
        .await?;
    println!("before: {}", maccel.get_property::<f64>("SensMult").await?);
    let change = HashMap::from([("SensMult", Variant::from(1.25))]);
    maccel.call::<_, _, ()>("Set", &(change,)).await?;
    println!("now: {}", maccel.get_property::<f64>("SensMult").await?);
    Ok(())
}

fn main() -> zbus::Result<()> {
    zbus::block_on(sensitivity())
}
