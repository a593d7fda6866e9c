#[cfg(test)]
mod architecture;
#[cfg(test)]
mod certs;
#[cfg(test)]
mod policies;
