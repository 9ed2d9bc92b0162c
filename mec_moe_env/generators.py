"""NumPy generators of many sub-environments, handed to compiled code by address.

Passing one `numpy.random.Generator` to a compiled function costs 8 µs, more than a whole step, as
numba looks up the C functions of its bit generator anew on every call. Here they are looked up
once; compiled code then draws from the very same stream, and NumPy's generator moves on with it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

Addresses = NDArray[np.uint64]

_FUNCTIONS = ("next_uint64", "next_uint32", "next_double")


class Generators:
    """One generator for each sub-environment, and where compiled code finds it."""

    def __init__(self, num_envs: int) -> None:
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self.addresses: Addresses = np.zeros((num_envs, 1 + len(_FUNCTIONS)), np.uint64)
        """State and functions of every bit generator, (n, 4)."""

    def __getitem__(self, index: int) -> np.random.Generator:
        generator = self._generators[index]
        if generator is None:
            raise RuntimeError("call reset() before step()")
        return generator

    def __setitem__(self, index: int, generator: np.random.Generator) -> None:
        if generator is self._generators[index]:
            return
        interface: Any = generator.bit_generator.ctypes
        self._generators[index] = generator
        self.addresses[index, 0] = interface.state_address
        for column, name in enumerate(_FUNCTIONS, start=1):
            function = ctypes.cast(getattr(interface, name), ctypes.c_void_p)
            self.addresses[index, column] = int(function.value or 0)

    def __getstate__(self) -> list[np.random.Generator | None]:
        """Leave the addresses out of a pickle: elsewhere they mean nothing."""
        return self._generators

    def __setstate__(self, generators: list[np.random.Generator | None]) -> None:
        """Look the addresses up anew."""
        Generators.__init__(self, len(generators))
        for index, generator in enumerate(generators):
            if generator is not None:
                self[index] = generator


@intrinsic
def _generator_of(typing_context: Any, addresses: Any, index: Any) -> Any:
    """Build numba's view of a generator from one row of `Generators.addresses`."""
    bits_type = types.NumPyRandomBitGeneratorType("bit_generator")
    signature = types.npy_rng(addresses, index)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        table = context.make_array(addresses)(context, builder, arguments[0])
        columns = 1 + len(_FUNCTIONS)
        start = builder.mul(arguments[1], arguments[1].type(columns))
        row = [
            builder.load(builder.gep(table.data, [builder.add(start, start.type(column))]))
            for column in range(columns)
        ]
        proxy: Any = cgutils.create_struct_proxy
        nothing = ir.Constant(context.get_value_type(types.pyobject), None)
        bits = proxy(bits_type)(context, builder)
        bits.parent = nothing
        bits.state_address = bits.state = row[0]
        for name, address in zip(_FUNCTIONS, row[1:], strict=True):
            setattr(bits, f"fnptr_{name}", address)
        generator = proxy(types.npy_rng)(context, builder)
        generator.bit_generator = bits._getvalue()
        generator.parent = nothing
        return generator._getvalue()

    return signature, codegen


generator_of: Callable[[Addresses, int], np.random.Generator] = cast("Any", _generator_of)
"""In compiled code, the generator of one sub-environment: `generator_of(addresses, index)`."""
