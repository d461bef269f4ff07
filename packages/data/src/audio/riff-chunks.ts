import { OptimumError } from '@optimum/core';

/** The two chunks of a WAV file that matter, as views of the file. */
export interface WavChunks {
  readonly format: Uint8Array;
  readonly data: Uint8Array;
}

/** What programs write that do not know the length yet: the data go on to the end of the file. */
const unknownLength = 0xffff_ffff;

/**
 * Finds the format and the data of a WAV file. Other chunks are passed over unread: what they claim (millions of cue
 * points, say) would keep a reader busy for hours.
 * @source Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0" (1991), chapters 2 and 3
 * @throws E_DATA_INVALID when it is no WAV file, a chunk is missing, or the file ends before its data do
 */
export function wavChunks(bytes: Uint8Array, name: string): WavChunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw damagedWav(name, 'it does not begin as a WAV file');
  let format: Uint8Array | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    const content = bytes.subarray(at + 8, at + 8 + length);
    const isData = tag(at) === 'data';
    if (content.length < length && !(isData && length === unknownLength))
      throw damagedWav(name, `it ends ${length - content.length} bytes before its "${tag(at).trim()}" chunk does`);
    if (isData && format) return { format, data: content };
    if (tag(at) === 'fmt ') format = content;
    // Chunks begin at even places.
    at += 8 + length + (length % 2);
  }
  throw damagedWav(name, `its ${format ? 'data' : 'format'} chunk is missing`);
}

export function damagedWav(name: string, reason: string, cause?: unknown): OptimumError {
  return new OptimumError('E_DATA_INVALID', `The audio ${name} cannot be decoded: ${reason}.`, {
    hint: 'WAV files with PCM of 8 to 32 bits, float, A-law or mu-law are read: ffmpeg -i FILE -c:a pcm_s16le FILE.wav',
    context: { file: name },
    cause,
  });
}
