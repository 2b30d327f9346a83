"""The canonicalizer of qconfigs, and what it does with products of two 16-bit inputs."""

from collections.abc import Mapping
from enum import Enum

from .._canonicalize.run import Canonical, canonicalize
from .._qconfig import QConfig
from .._record.graph import Recording

__all__ = ["FallbackStrategyVersion", "QconfigCanonicalizer"]


class FallbackStrategyVersion(Enum):
    """Of a Gemm-type operator with two 16-bit inputs, V1 lets one have them, V2 both."""

    V1 = "v1"
    V2 = "v2"


class QconfigCanonicalizer:
    """Makes the qconfigs of single layers fit together; `prepare` calls it."""

    _version: FallbackStrategyVersion | None = None

    @classmethod
    def set_fallback_strategy_version(cls, version: FallbackStrategyVersion | str | None) -> None:
        """For all models prepared from now on; None: as the target's policy says, the default.

        Takes a FallbackStrategyVersion, or "v1" and "v2". Raises ValueError for anything else.
        """
        if version is None or isinstance(version, FallbackStrategyVersion):
            QconfigCanonicalizer._version = version
            return
        try:
            QconfigCanonicalizer._version = FallbackStrategyVersion(str(version).lower())
        except ValueError:
            raise ValueError(
                f"there is no fallback strategy {version!r}; there are FallbackStrategyVersion.V1 "
                "and V2, and None for the target's"
            ) from None

    @classmethod
    def get_fallback_strategy_version(cls) -> FallbackStrategyVersion | None:
        """What was set; None: the target's policy counts."""
        return QconfigCanonicalizer._version

    @classmethod
    def policy(cls, of_target: str) -> str:
        """ "v1" or "v2": what was set, else the target's."""
        return of_target if cls._version is None else cls._version.value

    @classmethod
    def canonicalize(
        cls,
        recording: Recording,
        qconfigs: Mapping[str, QConfig | None],
        *,
        target_policy: str = "v2",
        ranking: Mapping[str, int] | None = None,
        optimize: bool = True,
    ) -> Canonical:
        """`canonicalize` of _canonicalize/run.py under the version that was set."""
        policy = cls.policy(target_policy)
        return canonicalize(recording, qconfigs, policy=policy, ranking=ranking, optimize=optimize)
