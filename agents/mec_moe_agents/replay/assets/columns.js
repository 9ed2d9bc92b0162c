"use strict";
// Columns: what `columns.py` encoded, read back into typed arrays.

const ARRAYS = {
  u1: Uint8Array, u2: Uint16Array, u4: Uint32Array,
  i1: Int8Array, i2: Int16Array, i4: Int32Array, f4: Float32Array,
};

function read(text, kind) {
  const binary = atob(text);
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  return new ARRAYS[kind](bytes.buffer);
}

/** An array of any number of axes, the first of them the steps where there is one a step. */
class Column {
  constructor(document) {
    this.shape = document.shape;
    this.values = expand(document);
    this.stride = this.shape.slice(1).reduce((product, size) => product * size, 1);
  }

  /** The value at these indices, one for each axis. */
  at(...indices) {
    let place = 0;
    indices.forEach((index, axis) => { place = place * this.shape[axis] + index; });
    return this.values[place];
  }

  /** All values of a step, flat. */
  row(step) {
    return this.values.subarray(step * this.stride, (step + 1) * this.stride);
  }
}

function expand(document) {
  const values = read(document.values, document.kind);
  if (document.order === "plain") return values;
  const size = document.shape.reduce((product, length) => product * length, 1);
  const flat = new ARRAYS[document.kind](size);
  let place = 0;
  read(document.runs, document.run_kind).forEach((length, run) => {
    flat.fill(values[run], place, place + length);
    place += length;
  });
  return document.order === "step" ? flat : transposed(flat, document.shape[0]);
}

function transposed(series, steps) {
  const values = new series.constructor(series.length);
  const width = series.length / steps;
  for (let item = 0; item < width; item += 1) {
    for (let step = 0; step < steps; step += 1) {
      values[step * width + item] = series[item * steps + step];
    }
  }
  return values;
}

function columnsOf(documents) {
  return Object.fromEntries(
    Object.entries(documents).map(([name, document]) => [name, new Column(document)]),
  );
}
