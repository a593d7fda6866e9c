#[cfg(test)]
mod certs;
#[cfg(test)]
mod policies;
