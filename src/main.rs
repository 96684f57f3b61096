//! leaklint
use tree_sitter as _;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("facts") {
        for path in arguments {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let summary = leaklint::lower::lower(&path, &String::from_utf8_lossy(&bytes));
            print!("{}", leaklint::model::dump::dump(&summary));
        }
    }
}
