import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, sep } from 'node:path';
import type { ModelSource } from '../backend/index.ts';
import type { ByteSource } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import { serializeModel } from '../onnx/index.ts';

/**
 * A model as a session takes it, without its weights where they can be read from the files that they lie in. The runtime
 * looks into one folder and follows no links out of it, so weights that lie elsewhere come along.
 * @param path file that the model was read from
 */
export function slimSource(model: Model, path: string): ModelSource {
  const folder = dirname(realpathSync(path));
  const locate = ({ path: file }: ByteSource): string | undefined => {
    const location = file === undefined ? undefined : relative(folder, realpathSync(file));
    const isInside = location && location !== '..' && !location.startsWith(`..${sep}`) && !isAbsolute(location);
    return isInside ? location : undefined;
  };
  return { bytes: serializeModel(model, { slim: { locate } }), folder };
}
