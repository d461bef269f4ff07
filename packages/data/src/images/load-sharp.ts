import { OptimumError } from '@optimum/core';

/** The function that the package sharp exports. */
export type Sharp = typeof import('sharp').default;

/**
 * sharp, loaded when the first image is met: it is an optional dependency with a native library.
 * @throws E_UNSUPPORTED_FEATURE with the command that installs it
 */
export async function loadSharp(load: () => Promise<{ default: Sharp }> = () => import('sharp')): Promise<Sharp> {
  try {
    return (await load()).default;
  } catch (cause) {
    throw new OptimumError('E_UNSUPPORTED_FEATURE', 'Images cannot be read: the package sharp could not be loaded.', {
      hint: 'npm install sharp',
      cause,
    });
  }
}
