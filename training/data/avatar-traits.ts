/**
 * How each avatar style's options are said in words. An option is a part (one of several drawings)
 * or a colour of the style's own schema; options with a single choice carry no word.
 */
export type Part = {
  readonly attribute: string;
  /** Things that are there or not: each drawing says "flag=yes" or "flag=no" for every one. */
  readonly flags?: readonly string[];
  /** Words of variants which the general rule would name badly. */
  readonly words?: Readonly<Record<string, readonly string[]>>;
  /** Prefix for variants that are only numbered, so that numbers of two styles do not meet. */
  readonly numbered?: string;
  /** Attribute for the group in a numbered name: "short07" also says "hair length=short". */
  readonly group?: string;
  /** Drawn only if another option has one of these values. */
  readonly shownWhen?: Readonly<Record<string, readonly string[]>>;
  /** Covered (nothing of it left to see) if another option has one of these values. */
  readonly hiddenBy?: Readonly<Record<string, readonly string[]>>;
};

export type Style = {
  readonly label: string;
  readonly parts: Readonly<Record<string, Part>>;
  readonly colors: Readonly<Record<string, string>>;
  /** Colours that another option's values leave nothing of, as `hiddenBy` of a part. */
  readonly hiddenColors?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** How often an optional part is drawn, in percent; rarer parts are raised so that they are learned. */
  readonly chances?: Readonly<Record<string, number>>;
};

const moustache = ['facial hair=yes', 'facial hair type=moustache'];
const glasses = ['glasses=yes', 'glasses type=clear'];
const sunglasses = ['glasses=yes', 'glasses type=sunglasses'];
const hat = (type: string): readonly string[] => ['hat=yes', `hat type=${type}`];

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const numbers = (list: readonly number[]) =>
  list.map((n) => `variant${String(n).padStart(2, '0')}`);
/** Hair of pixel art that leaves too little of an earring to tell which one it is. */
const coveredEars = ['long02', 'long03', 'long07', 'long08', 'long09', 'long13'];

export const styles = {
  avataaars: {
    label: 'avataaars',
    parts: {
      accessories: {
        attribute: 'glasses type',
        flags: ['glasses', 'eyepatch'],
        words: { eyepatch: ['eyepatch=yes'] },
      },
      clothing: { attribute: 'clothing' },
      clothingGraphic: { attribute: 'shirt graphic', shownWhen: { clothing: ['graphicShirt'] } },
      eyebrows: { attribute: 'eyebrows' },
      eyes: { attribute: 'eyes', hiddenBy: { accessories: ['kurt'] } },
      facialHair: { attribute: 'facial hair type', flags: ['facial hair'] },
      mouth: { attribute: 'mouth' },
      top: {
        attribute: 'hair',
        flags: ['hat'],
        words: {
          hat: hat('fedora'),
          hijab: hat('hijab'),
          turban: hat('turban'),
          winterHat1: hat('winter hat 1'),
          winterHat02: hat('winter hat 2'),
          winterHat03: hat('winter hat 3'),
          winterHat04: hat('winter hat 4'),
        },
      },
    },
    colors: {
      accessoriesColor: 'glasses color',
      clothesColor: 'clothing color',
      facialHairColor: 'facial hair color',
      hairColor: 'hair color',
      hatColor: 'hat color',
      skinColor: 'skin color',
    },
    chances: { accessories: 40, facialHair: 30 },
  },
  adventurer: {
    label: 'adventurer',
    parts: {
      earrings: { attribute: 'earrings type', flags: ['earrings'], numbered: 'adventurer' },
      eyebrows: { attribute: 'eyebrows', numbered: 'adventurer' },
      eyes: { attribute: 'eyes', numbered: 'adventurer', hiddenBy: { glasses: ['variant01'] } },
      features: {
        attribute: 'feature',
        flags: ['facial hair', 'blush', 'birthmark', 'freckles'],
        hiddenBy: { hair: ['long20'] },
        words: {
          mustache: moustache,
          blush: ['blush=yes'],
          birthmark: ['birthmark=yes'],
          freckles: ['freckles=yes'],
        },
      },
      glasses: { attribute: 'glasses type', flags: ['glasses'], numbered: 'adventurer' },
      hair: { attribute: 'hair', numbered: 'adventurer', group: 'hair length' },
      mouth: { attribute: 'mouth', numbered: 'adventurer' },
    },
    colors: { hairColor: 'hair color', skinColor: 'skin color' },
    chances: { glasses: 35, earrings: 30, features: 35 },
  },
  bigSmile: {
    label: 'big smile',
    parts: {
      accessories: {
        attribute: 'accessory',
        flags: ['cat ears', 'glasses', 'crown', 'clown nose', 'sleep mask', 'mask', 'facial hair'],
        words: {
          catEars: ['cat ears=yes'],
          glasses,
          sailormoonCrown: ['crown=yes'],
          clownNose: ['clown nose=yes'],
          sleepMask: ['sleep mask=yes'],
          sunglasses,
          faceMask: ['mask=yes'],
          mustache: moustache,
        },
      },
      eyes: { attribute: 'eyes', hiddenBy: { accessories: ['sleepMask'] } },
      hair: {
        attribute: 'hair',
        words: {
          shortHair: ['hair=short'],
          bowlCutHair: ['hair=bowl cut'],
          straightHair: ['hair=straight'],
          shavedHead: ['hair=shaved'],
          bunHair: ['hair=bun'],
          curlyShortHair: ['hair=short curly'],
        },
      },
      mouth: {
        attribute: 'mouth',
        hiddenBy: { accessories: ['faceMask'] },
        words: {
          openedSmile: ['mouth=open smile'],
          openSad: ['mouth=open sad'],
          teethSmile: ['mouth=smile with teeth'],
        },
      },
    },
    colors: { hairColor: 'hair color', skinColor: 'skin color' },
    chances: { accessories: 60 },
  },
  bottts: {
    label: 'bottts',
    parts: {
      eyes: { attribute: 'eyes' },
      face: { attribute: 'face' },
      mouth: { attribute: 'mouth' },
      sides: { attribute: 'sides', words: { squareAssymetric: ['sides=square asymmetric'] } },
      texture: {
        attribute: 'texture type',
        flags: ['texture'],
        words: { grunge01: ['texture=no'], grunge02: ['texture=no'] }, // specks of a hundredth of a pixel
      },
      top: { attribute: 'top' },
    },
    colors: { baseColor: 'body color' },
  },
  personas: {
    label: 'personas',
    parts: {
      body: { attribute: 'clothing' },
      eyes: { attribute: 'eyes', flags: ['glasses'], words: { glasses, sunglasses } },
      facialHair: {
        attribute: 'facial hair type',
        flags: ['facial hair'],
        words: { beardMustache: ['facial hair=yes', 'facial hair type=full beard'] },
      },
      hair: {
        attribute: 'hair',
        flags: ['hat'],
        words: {
          cap: hat('cap'),
          beanie: hat('beanie'),
          bobCut: ['hair=bob'],
          straightBun: ['hair=bun'],
        },
      },
      mouth: { attribute: 'mouth', hiddenBy: { facialHair: ['beardMustache'] } },
      nose: { attribute: 'nose' },
    },
    colors: { hairColor: 'hair color', clothingColor: 'clothing color', skinColor: 'skin color' },
    chances: { facialHair: 30 },
  },
  openPeeps: {
    label: 'open peeps',
    parts: {
      accessories: {
        attribute: 'glasses type',
        flags: ['glasses', 'eyepatch'],
        words: { eyepatch: ['eyepatch=yes'], glasses: ['glasses=yes', 'glasses type=glasses 1'] },
      },
      face: { attribute: 'expression' },
      facialHair: {
        attribute: 'facial hair type',
        flags: ['facial hair'],
        hiddenBy: { mask: ['medicalMask', 'respirator'] },
      },
      head: {
        attribute: 'hair',
        flags: ['hat'],
        words: {
          hatBeanie: hat('beanie'),
          hatHip: hat('hip hat'),
          hijab: hat('hijab'),
          turban: hat('turban'),
          noHair1: ['hair=bald'],
          noHair2: ['hair=bald 2'],
          noHair3: ['hair=balding'],
        },
      },
      mask: {
        attribute: 'mask type',
        flags: ['mask'],
        words: { medicalMask: ['mask=yes', 'mask type=medical'] },
      },
    },
    colors: {
      skinColor: 'skin color',
      clothingColor: 'clothing color',
      headContrastColor: 'hair color',
    },
    chances: { accessories: 40, facialHair: 30, mask: 10 },
  },
  micah: {
    label: 'micah',
    parts: {
      earrings: { attribute: 'earrings type', flags: ['earrings'] },
      ears: { attribute: 'ears' },
      eyebrows: { attribute: 'eyebrows' },
      eyes: {
        attribute: 'eyes',
        words: { eyes: ['eyes=plain'], eyesShadow: ['eyes=plain shadow'] },
      },
      facialHair: { attribute: 'facial hair type', flags: ['facial hair'] },
      glasses: { attribute: 'glasses type', flags: ['glasses'] },
      hair: {
        attribute: 'hair',
        flags: ['hat'],
        words: {
          fonze: ['hair=pompadour'],
          mrT: ['hair=mohawk'],
          dougFunny: ['hair=few strands'],
          mrClean: ['hair=bald'],
          dannyPhantom: ['hair=side swept'],
          turban: hat('turban'),
        },
      },
      mouth: { attribute: 'mouth' },
      nose: { attribute: 'nose', words: { tound: ['nose=round'] } },
      shirt: { attribute: 'clothing' },
    },
    colors: {
      baseColor: 'skin color',
      earringColor: 'earrings color',
      eyeShadowColor: 'eye shadow color',
      glassesColor: 'glasses color',
      hairColor: 'hair color',
      shirtColor: 'clothing color',
    },
    chances: { glasses: 35, facialHair: 25 },
  },
  toonHead: {
    label: 'toon head',
    parts: {
      beard: {
        attribute: 'facial hair type',
        flags: ['facial hair'],
        words: { fullBeard: ['facial hair=yes', 'facial hair type=full beard'] },
      },
      clothes: { attribute: 'clothing' },
      eyebrows: { attribute: 'eyebrows' },
      eyes: { attribute: 'eyes' },
      hair: { attribute: 'hair' },
      mouth: { attribute: 'mouth', hiddenBy: { skinColor: ['5c3829'] } }, // lines of the skin's own colour
      rearHair: { attribute: 'rear hair type', flags: ['rear hair'] },
    },
    colors: { skinColor: 'skin color', hairColor: 'hair color', clothesColor: 'clothing color' },
    chances: { beard: 35 },
  },
  lorelei: {
    label: 'lorelei',
    parts: {
      beard: { attribute: 'facial hair type', flags: ['facial hair'], numbered: 'lorelei' },
      earrings: {
        attribute: 'earrings type',
        flags: ['earrings'],
        numbered: 'lorelei',
        hiddenBy: {
          hair: numbers([14, 15, 19, 21, 23, 40, 41, 45]),
        },
      },
      eyebrows: { attribute: 'eyebrows', numbered: 'lorelei' },
      eyes: { attribute: 'eyes', numbered: 'lorelei', hiddenBy: { glasses: ['variant02'] } },
      freckles: {
        attribute: 'freckles',
        flags: ['freckles'],
        words: { variant01: ['freckles=yes'] },
      },
      glasses: { attribute: 'glasses type', flags: ['glasses'], numbered: 'lorelei' },
      hair: { attribute: 'hair', numbered: 'lorelei' },
      hairAccessories: {
        attribute: 'flowers',
        flags: ['flowers'],
        words: { flowers: ['flowers=yes'] },
      },
      head: { attribute: 'head', numbered: 'lorelei' },
      mouth: { attribute: 'mouth', numbered: 'lorelei', group: 'expression' },
      nose: { attribute: 'nose', numbered: 'lorelei' },
    },
    colors: {},
    chances: { glasses: 35, earrings: 30, beard: 15, freckles: 25, hairAccessories: 25 },
  },
  notionists: {
    label: 'notionists',
    parts: {
      beard: { attribute: 'facial hair type', flags: ['facial hair'], numbered: 'notionists' },
      body: { attribute: 'clothing', numbered: 'notionists' },
      bodyIcon: { attribute: 'shirt graphic', shownWhen: { body: numbers([1, 2, 3, 4, 6, 8, 9]) } },
      brows: { attribute: 'eyebrows', numbered: 'notionists' },
      eyes: {
        attribute: 'eyes',
        numbered: 'notionists',
        hiddenBy: { glasses: numbers([1, 2, 4, 5, 6, 7, 9, 10]) },
      },
      gesture: { attribute: 'gesture type', flags: ['gesture'] },
      glasses: { attribute: 'glasses type', flags: ['glasses'], numbered: 'notionists' },
      hair: {
        attribute: 'hair',
        numbered: 'notionists',
        flags: ['hat'],
        words: { hat: hat('cap') },
      },
      lips: { attribute: 'mouth', numbered: 'notionists' },
      nose: { attribute: 'nose', numbered: 'notionists' },
    },
    colors: {},
    chances: { glasses: 35, beard: 25, gesture: 20 },
  },
  pixelArt: {
    label: 'pixel art',
    parts: {
      accessories: {
        attribute: 'earrings type',
        flags: ['earrings'],
        numbered: 'pixel art',
        hiddenBy: { hair: coveredEars },
      },
      beard: {
        attribute: 'facial hair type',
        flags: ['facial hair'],
        numbered: 'pixel art',
        hiddenBy: { hairColor: ['28150a', '611c17', '612616', 'a78961'] }, // as good as transparent: its mask is its own lightness
      },
      clothing: {
        attribute: 'clothing',
        numbered: 'pixel art',
        words: { variant14: ['clothing=pixel art 5'] }, // the same drawing twice
      },
      eyes: { attribute: 'eyes', numbered: 'pixel art' },
      glasses: {
        attribute: 'glasses type',
        flags: ['glasses'],
        numbered: 'pixel art',
        group: 'glasses tint',
      },
      hair: {
        attribute: 'hair',
        numbered: 'pixel art',
        group: 'hair length',
        hiddenBy: { hat: numbers(upTo(10)) },
      },
      hat: { attribute: 'hat type', flags: ['hat'], numbered: 'pixel art' },
      mouth: { attribute: 'mouth', numbered: 'pixel art', group: 'expression' },
    },
    colors: {
      accessoriesColor: 'earrings color',
      clothingColor: 'clothing color',
      eyesColor: 'eye color',
      glassesColor: 'glasses color',
      hairColor: 'hair color',
      hatColor: 'hat color',
      mouthColor: 'mouth color',
      skinColor: 'skin color',
    },
    hiddenColors: {
      accessoriesColor: { hair: coveredEars },
      hairColor: { hat: numbers(upTo(10)) },
    },
    chances: { accessories: 25, beard: 20, glasses: 35, hat: 20 },
  },
  thumbs: {
    label: 'thumbs',
    parts: {
      eyes: { attribute: 'eyes', numbered: 'thumbs' },
      face: { attribute: 'face', numbered: 'thumbs' },
      mouth: { attribute: 'mouth', numbered: 'thumbs' },
    },
    colors: { shapeColor: 'body color' },
  },
} as const satisfies Record<string, Style>;

export type StyleName = keyof typeof styles;
export const styleNames = Object.keys(styles) as StyleName[];
