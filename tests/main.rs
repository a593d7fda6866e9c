#[cfg(test)]
mod certs;
