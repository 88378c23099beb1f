/** One kind of thing that the shop sells. Prices in cents: the usual one, and how far others are from it (log scale). */
export interface Kind {
  readonly category: string;
  readonly nouns: readonly string[];
  readonly qualities: readonly string[];
  readonly usualPriceMinor: number;
  readonly priceSpread: number;
  readonly weightGrams: readonly [number, number];
}

/** Invented makers. */
export const makers: readonly string[] = [
  'Aldervik',
  'Bergmann & Roe',
  'Calido',
  'Dunmore',
  'Estrella',
  'Fjordlys',
  'Galloway',
  'Hartwig',
  'Isola',
  'Juniper',
  'Kestrel',
  'Lumen',
  'Marlow',
  'Norrsken',
  'Oakline',
  'Pascal',
  'Quillon',
  'Rosendahl',
  'Solari',
  'Tamarind',
  'Umbra',
  'Velden',
  'Westerly',
  'Yarrow',
  'Zephyr',
];

/** What there is, by category. */
export const kinds: readonly Kind[] = [
  {
    category: 'kitchen',
    nouns: [
      'Frying Pan',
      'Saucepan',
      'Bread Knife',
      'Kettle',
      'Mixing Bowl',
      'Coffee Grinder',
      'Mortar',
      'Teapot',
    ],
    qualities: ['Cast Iron', 'Copper', 'Stainless Steel', 'Enamel', 'Ceramic', 'Non-Stick'],
    usualPriceMinor: 3900,
    priceSpread: 0.6,
    weightGrams: [300, 4000],
  },
  {
    category: 'garden',
    nouns: [
      'Hand Trowel',
      'Watering Can',
      'Pruning Shears',
      'Hose Reel',
      'Planter',
      'Bird Bath',
      'Rake',
      'Lantern',
    ],
    qualities: ['Galvanised', 'Terracotta', 'Ash Wood', 'Carbon Steel', 'Weatherproof', 'Folding'],
    usualPriceMinor: 2900,
    priceSpread: 0.7,
    weightGrams: [200, 6000],
  },
  {
    category: 'books',
    nouns: ['Atlas', 'Cookbook', 'Field Guide', 'Novel', 'Sketchbook', 'Dictionary', 'Almanac', 'Songbook'],
    qualities: ['Illustrated', 'Pocket', 'Annotated', 'Collected', 'Linen-Bound', 'Concise'],
    usualPriceMinor: 2200,
    priceSpread: 0.4,
    weightGrams: [150, 1800],
  },
  {
    category: 'electronics',
    nouns: ['Headphones', 'Desk Lamp', 'Speaker', 'Keyboard', 'Power Bank', 'Radio', 'Webcam', 'Alarm Clock'],
    qualities: ['Wireless', 'Compact', 'Studio', 'Rechargeable', 'Noise-Cancelling', 'Solar'],
    usualPriceMinor: 8900,
    priceSpread: 0.8,
    weightGrams: [80, 3000],
  },
  {
    category: 'clothing',
    nouns: ['Jumper', 'Rain Jacket', 'Scarf', 'Shirt', 'Socks', 'Cardigan', 'Gloves', 'Hat'],
    qualities: ['Merino', 'Organic Cotton', 'Linen', 'Waxed', 'Cable-Knit', 'Lightweight'],
    usualPriceMinor: 5400,
    priceSpread: 0.6,
    weightGrams: [60, 1500],
  },
  {
    category: 'toys',
    nouns: [
      'Building Blocks',
      'Puzzle',
      'Kite',
      'Wooden Train',
      'Puppet',
      'Board Game',
      'Spinning Top',
      'Marble Run',
    ],
    qualities: ['Classic', 'Hand-Painted', 'Beechwood', 'Travel', 'Giant', 'Magnetic'],
    usualPriceMinor: 2600,
    priceSpread: 0.5,
    weightGrams: [100, 2500],
  },
  {
    category: 'sports',
    nouns: [
      'Yoga Mat',
      'Water Bottle',
      'Skipping Rope',
      'Backpack',
      'Running Belt',
      'Tent',
      'Dumbbell',
      'Bike Light',
    ],
    qualities: ['Insulated', 'Ultralight', 'Recycled', 'Adjustable', 'All-Season', 'Reflective'],
    usualPriceMinor: 4500,
    priceSpread: 0.7,
    weightGrams: [50, 8000],
  },
  {
    category: 'stationery',
    nouns: [
      'Fountain Pen',
      'Notebook',
      'Desk Pad',
      'Pencil Set',
      'Letter Paper',
      'Ink Bottle',
      'Calendar',
      'Ruler',
    ],
    qualities: ['Dotted', 'Brass', 'Recycled', 'Leather', 'Fine-Point', 'Vintage'],
    usualPriceMinor: 1800,
    priceSpread: 0.6,
    weightGrams: [20, 900],
  },
];

/** Colours, for the end of a name. */
export const finishes: readonly string[] = [
  'Black',
  'White',
  'Olive',
  'Sand',
  'Navy',
  'Rust',
  'Slate',
  'Cream',
  'Forest',
  'Plum',
  'Sky',
  'Mustard',
];

/** Of the generated people. */
export const firstNames: readonly string[] = [
  'Anna',
  'Bram',
  'Chiara',
  'David',
  'Elif',
  'Finn',
  'Greta',
  'Hugo',
  'Ines',
  'Jan',
  'Klara',
  'Luca',
  'Mila',
  'Noah',
  'Olga',
  'Paul',
  'Quentin',
  'Rosa',
  'Sven',
  'Tilda',
  'Ugo',
  'Vera',
  'Wanda',
  'Xenia',
  'Yusuf',
  'Zofia',
];

/** Of the generated people. */
export const lastNames: readonly string[] = [
  'Almeida',
  'Bauer',
  'Costa',
  'Dubois',
  'Eriksson',
  'Fischer',
  'Garcia',
  'Hansen',
  'Ivanova',
  'Jansen',
  'Kowalski',
  'Lefevre',
  'Moreau',
  'Novak',
  'Olsen',
  'Petrov',
  'Quist',
  'Rossi',
  'Schneider',
  'Tanaka',
  'Ulrich',
  'Visser',
  'Weber',
  'Yilmaz',
  'Zimmermann',
];

/** Streets without a number. */
export const streets: readonly string[] = [
  'Lindenstrasse',
  'Rue des Lilas',
  'Kerkstraat',
  'Via Roma',
  'Calle Mayor',
  'Parkweg',
  'Avenue Foch',
  'Ulica Długa',
];

/** Cities with their country and the pattern of its postcodes (`9` stands for any digit). */
export const cities: readonly {
  readonly city: string;
  readonly country: string;
  readonly postcode: string;
}[] = [
  { city: 'Hamburg', country: 'DE', postcode: '20999' },
  { city: 'München', country: 'DE', postcode: '80999' },
  { city: 'Wien', country: 'AT', postcode: '1999' },
  { city: 'Lyon', country: 'FR', postcode: '69999' },
  { city: 'Utrecht', country: 'NL', postcode: '3999 AB' },
  { city: 'Torino', country: 'IT', postcode: '10199' },
  { city: 'Valencia', country: 'ES', postcode: '46999' },
  { city: 'Gdańsk', country: 'PL', postcode: '80-999' },
];
