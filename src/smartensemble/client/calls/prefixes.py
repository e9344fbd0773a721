"""Prefixes: whose data a client reads, and which of its names get one."""

from typing import TYPE_CHECKING

from smartensemble.client.descriptions import CALL, PREFIX
from smartensemble.docstrings.described import calls_described_by
from smartensemble.errors import public

if TYPE_CHECKING:
    from smartensemble.client.keys import Names


@public
@calls_described_by(PREFIX, CALL)
class PrefixCalls:
    """The calls about prefixes. A member's client takes them from its variables SSKEYOUT and SSKEYIN."""

    _names: "Names"

    def set_data_source(self, source_id: str) -> None:
        """Read the data of another member from now on.

        :param source_id: the prefix of its keys, which is its name.
        :raises RedisRuntimeError: SSKEYIN does not name it.
        """
        self._names.choose_source(source_id)

    def use_tensor_ensemble_prefix(self, use_prefix: bool) -> None:
        """Whether the names of tensors get a prefix; by default they do."""
        self._names.use_prefix("tensor", use_prefix)

    def use_dataset_ensemble_prefix(self, use_prefix: bool) -> None:
        """Whether the names of datasets get a prefix; by default they do."""
        self._names.use_prefix("dataset", use_prefix)

    def use_list_ensemble_prefix(self, use_prefix: bool) -> None:
        """Whether the names of lists get a prefix; by default they do."""
        self._names.use_prefix("list", use_prefix)

    def use_model_ensemble_prefix(self, use_prefix: bool) -> None:
        """Whether the names of models and scripts get a prefix; by default they do not."""
        self._names.use_prefix("model", use_prefix)
