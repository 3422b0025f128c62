// SPDX-License-Identifier: MIT OR Apache-2.0
use std::collections::HashMap;
use zbus::{Connection, Result, Variant, block_on, fdo::PropertiesProxy};

fn main() -> Result<()> {
    let (name, path) = ("org.vespera.Agent1", "/org/vespera/Agent1");
    let maccel = "org.vespera.Agent1.Maccel";
    block_on(async {
        let bus = Connection::system().await?;
        let properties = PropertiesProxy::new(&bus, name, path).await?;
        let get = async |key| properties.get(maccel.try_into()?, key).await;
        println!("before: {}", f64::try_from(get("SensMult").await?)?);
        let change = HashMap::from([("SensMult", Variant::from(1.25))]);
        bus.call_method(Some(name), path, Some(maccel), "Set", &(change,)).await?;
        println!("now: {}", f64::try_from(get("SensMult").await?)?);
        Ok(())
    })
}
