//! Every test in one binary.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod certs;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod policies;
