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
    #[error("{variable}: {problem}")]
    Environment { variable: &'static str, problem: String },
    #[error("the integration in {path} has mistakes:\n{mistakes}")]
    Integration { path: String, mistakes: String },
    #[error("the settings do not fit: {0}")]
    Settings(String),
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

    pub(crate) fn integration(path: &std::path::Path, mistakes: String) -> Self {
        Error(Kind::Integration {
            path: path.display().to_string(),
            mistakes,
        })
    }

    pub(crate) fn settings(problems: &[String]) -> Self {
        Error(Kind::Settings(problems.join("; ")))
    }

    pub(crate) fn setup(error: &dyn std::error::Error) -> Self {
        Error(Kind::Setup(error.to_string()))
    }

    pub(crate) fn runtime(error: &lambda_http::Error) -> Self {
        Error(Kind::Runtime(error.to_string()))
    }
}
