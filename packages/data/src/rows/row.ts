import type { TensorData } from '@optimum/core';
import type { Place } from '../data-error.ts';
import type { Selection } from '../selection.ts';

/** One row of a data set, as its file has it. */
export interface Row {
  /** Number of the row in the whole data set, from 0: the same whichever rows are selected. */
  readonly index: number;
  readonly place: Place;
  /**
   * Values by name: what JSON has, bigints, `Uint8Array` for bytes, `DataFile` for files of a folder, `DataTensor`.
   */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A file of a folder of images or audio, known to lie in that folder. A class, so that no row can pretend to be one. */
export class DataFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }
}

/** A tensor that a reader has checked. */
export class DataTensor {
  readonly tensor: TensorData;

  constructor(tensor: TensorData) {
    this.tensor = tensor;
  }
}

/** Names of the fields that are no named tensors. */
export interface Columns {
  readonly text?: string | undefined;
  readonly textPair?: string | undefined;
  readonly image?: string | undefined;
  readonly audio?: string | undefined;
  /** What a row is to be told apart as. It is no input: it is only kept from being taken for one. */
  readonly label?: string | undefined;
}

/** Rows of one file or folder, read when they are asked for; at most one piece of it is in memory. */
export interface RowReader {
  /** Rows that there are. */
  readonly total: number;
  /** What paths in the rows are relative to. */
  readonly folder: string;
  /** Whether tensors of a row have the axis for the batch; if not, a row is one sample, and it is added. */
  readonly hasBatchAxis: boolean;
  /** What the reader itself knows about its fields. */
  readonly columns: Columns;
  /** Every file that the rows come from, in a fixed order. */
  readonly files: readonly string[];
  /** Rows in ascending order; it may be called again. */
  rows(selection: Selection): AsyncIterable<Row>;
}
