import type { Model } from '../ir/index.ts';
import { type ReadOptions, readModel } from '../onnx/index.ts';
import { openContained } from './contained.ts';
import type { FileSource } from './file-source.ts';
import { openModelFile } from './sniff.ts';

/** A model whose weights are still on disk; `close` when it is not needed any more. */
export interface LoadedModel {
  readonly model: Model;
  readonly path: string;
  readonly source: FileSource;
  /** Bytes of the model file and of its external data. */
  readonly byteLength: number;
  close(): void;
}

export interface LoadOptions extends Pick<ReadOptions, 'limits'> {
  /** The model beside which external data lies, for a file that the runtime made of it elsewhere. @defaultValue the file */
  readonly dataOf?: string | undefined;
}

/**
 * Opens an `.onnx` file. Only its structure is read; external data is opened where the model names it.
 * @throws E_MODEL_NOT_ONNX, E_MODEL_WIRE, E_MODEL_INVALID, E_LIMIT_*, E_UNSUPPORTED_*, E_PATH_*, E_IO
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<LoadedModel> {
  return loadModelSync(path, options);
}

/** As `loadModel`, for code that cannot wait. */
export function loadModelSync(path: string, { dataOf, ...options }: LoadOptions = {}): LoadedModel {
  const source = openModelFile(path);
  const external = new Map<string, FileSource>();
  const close = (): void => {
    source.close();
    for (const file of external.values()) file.close();
  };
  /** The same file under two names is one source: tensors that share bytes are seen to do so. */
  const openExternal = (location: string): FileSource => {
    const file = openContained(dataOf ?? path, location);
    const known = external.get(file.path);
    if (known) {
      file.close();
      return known;
    }
    external.set(file.path, file);
    return file;
  };
  try {
    const model = readModel(source, { ...options, openExternal });
    const byteLength = [...external.values()].reduce((sum, file) => sum + file.byteLength, source.byteLength);
    return { model, path, source, byteLength, close };
  } catch (error) {
    close();
    throw error;
  }
}
