/** What a kind of image processor does besides what its options say. */
export interface ProcessorTraits {
  /** ConvNeXT: below 384 pixels the shorter edge becomes `shortest_edge / crop_pct`, and the center is cut out. */
  readonly cropsByPercentage?: true;
  /** EfficientNet: divides by the square of `image_std`, unless `include_top` is false. */
  readonly squaresDeviation?: true;
  /** Donut: black all around the image. Swin2SR: the image is mirrored, up to a multiple of `pad_size`. */
  readonly padding?: 'black-around' | 'mirrored';
  /** DETR: a `pixel_mask` that says that all is image, as [1, 64, 64]. */
  readonly hasPixelMask?: true;
}

/** By the name without its ending; transformers.js applies the options alone where nothing else stands here. */
const traits: Readonly<Record<string, ProcessorTraits>> = {
  Beit: {},
  Bit: {},
  CLIP: {},
  ChineseCLIP: {},
  ConvNext: { cropsByPercentage: true },
  DINOv3ViT: {},
  DPT: {},
  DeiT: {},
  Detr: { hasPixelMask: true },
  Donut: { padding: 'black-around' },
  EfficientNet: { squaresDeviation: true },
  GLPN: {},
  MobileNetV1: {},
  MobileNetV2: {},
  MobileNetV3: {},
  MobileNetV4: {},
  MobileViT: {},
  OwlViT: {},
  Pvt: {},
  RTDetr: {},
  Segformer: {},
  Siglip: {},
  Swin2SR: { padding: 'mirrored' },
  ViT: {},
  Yolos: {},
};

/** The family of a type: "ViTImageProcessor", "ViTImageProcessorFast" and "ViTFeatureExtractor" are one. */
const familyOf = (type: string): string => type.replace(/(ImageProcessor(Fast)?|FeatureExtractor)$/, '');

/** `undefined` for a type that is not known. Without a type the options alone count. */
export function processorTraits(type: unknown): ProcessorTraits | undefined {
  if (type === undefined) return {};
  if (typeof type !== 'string') return undefined;
  const family = familyOf(type);
  return family !== type && Object.hasOwn(traits, family) ? traits[family] : undefined;
}
