//! Why a function cannot run.

/// Why a function cannot run. Its text is for the operator; it holds no secret.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Kind);

impl std::fmt::Debug for Error {
    /// The text, because this is how `main` shows an error to a person.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{self}")
    }
}

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("the environment variable {variable} {problem}")]
    Environment { variable: &'static str, problem: String },
    #[error("{0}")]
    Setup(String),
    #[error("the Lambda runtime: {0}")]
    Runtime(String),
}

impl Error {
    pub(crate) fn environment(variable: &'static str, problem: impl Into<String>) -> Self {
        Error(Kind::Environment {
            variable,
            problem: problem.into(),
        })
    }

    pub(crate) fn setup(error: &dyn std::error::Error) -> Self {
        Error(Kind::Setup(error.to_string()))
    }

    pub(crate) fn runtime(error: &dyn std::fmt::Display) -> Self {
        Error(Kind::Runtime(error.to_string()))
    }

    /// The environment has to be changed: a variable is missing or wrong.
    pub fn is_environment(&self) -> bool {
        matches!(self.0, Kind::Environment { .. })
    }

    /// The name that Lambda shows beside the message.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.0 {
            Kind::Environment { .. } => "Configuration",
            Kind::Setup(_) => "Setup",
            Kind::Runtime(_) => "Runtime",
        }
    }
}
