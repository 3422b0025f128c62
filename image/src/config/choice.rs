// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words a configuration may choose from.

use serde::Serialize;

/// Declares a closed set of words with their spelling in the configuration.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const WORDS: &[&str] = &[$($word),+];
            /// Every value, in the order of [`Self::WORDS`].
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The value that a word stands for.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }

            /// The word in the configuration.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

choice!(
    /// Which Aurora.
    Variant {
        /// The desktop.
        #[default]
        Aurora = "aurora",
        /// The desktop with developer tools.
        AuroraDx = "aurora-dx",
    }
);

choice!(
    /// For which graphics card.
    Gpu {
        /// Everything that the kernel itself supports.
        #[default]
        Main = "main",
        /// NVIDIA's open kernel modules.
        NvidiaOpen = "nvidia-open",
    }
);

choice!(
    /// Aurora's release streams.
    Stream {
        /// Weekly, on the kernel that Fedora CoreOS has released.
        #[default]
        Stable = "stable",
        /// The newest Fedora kernel.
        Latest = "latest",
        /// Not yet released.
        Testing = "testing",
    }
);

choice!(
    /// One image or all of them.
    Strategy {
        /// The one image that the configuration names.
        #[default]
        Single = "single",
        /// Every combination of variant and graphics card.
        Matrix = "matrix",
    }
);

choice!(
    /// Where the driver's source comes from.
    Source {
        /// This repository's `kmod/`.
        #[default]
        Bundled = "bundled",
        /// A git repository at a commit.
        Git = "git",
    }
);

/// The graphics variant that Aurora gave up.
pub const RETIRED_GPU: &str = "nvidia";

/// Why [`RETIRED_GPU`] cannot be built, and what to use instead.
pub const RETIRED_GPU_REASON: &str = "`nvidia` (the closed driver) has no Aurora image any more: \
Aurora ended it in October 2025 and deleted the images; use `nvidia-open` for Turing (GTX 16, \
RTX 20) or newer cards, or `main` for older ones";

impl Variant {
    /// What the image name gets for this variant.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Aurora => "",
            Self::AuroraDx => "-dx",
        }
    }
}

impl Gpu {
    /// What the image name gets for this card; `main` has no suffix, at Aurora as here.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::NvidiaOpen => "-nvidia-open",
        }
    }
}
