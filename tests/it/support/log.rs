//! The log of the test's own thread, as the JSON lines that the program would write.

use std::io::Write;
use std::sync::{Arc, Mutex, Once};

use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;
use usersyncd::cli::logging::{self, LogLevel};

/// Catches what this thread logs for as long as it lives. A test with a runtime needs one of a single thread.
pub(crate) struct Log {
    lines: Lines,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn catch() -> Self {
        // Threads that catch nothing would have an event marked as of no interest to anybody, at times just when this one
        // begins to catch.
        static INTEREST: Once = Once::new();
        INTEREST.call_once(|| {
            let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        });
        let lines = Lines::default();
        let filter = logging::filter(LogLevel::Trace);
        let subscriber = logging::subscriber(true, false, filter, lines.clone());
        Self {
            lines,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// All events so far, without their times.
    pub(crate) fn events(&self) -> Vec<Value> {
        let bytes = self.lines.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines()
            .map(|line| {
                let mut event: Value = serde_json::from_str(line).unwrap();
                event.as_object_mut().unwrap().remove("timestamp").unwrap();
                event
            })
            .collect()
    }

    /// The events of one name.
    pub(crate) fn named(&self, name: &str) -> Vec<Value> {
        let events = self.events().into_iter();
        events.filter(|event| event["event"] == name).collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
