#[cfg(test)]
mod certs;
#[cfg(test)]
mod operations;
