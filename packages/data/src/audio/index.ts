export { decodeWav, maxAudioSamples } from './decode-wav.ts';
export { type AudioProcessor, openAudioProcessor } from './open-audio-processor.ts';
