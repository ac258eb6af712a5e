/** The default text of `quality`: written for it, in words that the embedded model knows. */
export const qualityText = `Once upon a time there was a small boat named Pip. Pip lived in a quiet harbour and liked to watch the big ships come and go. Every morning the fisherman Tom came down to the water with his dog. "Good morning, Pip," he said. "Where shall we go today?" Pip was happy, because Tom always asked.

One day the sky was dark and the wind was strong. Tom looked at the waves and shook his head. "We will stay at home today," he said. But then they heard a cry from far away. A little girl sat on a rock in the sea, and the water came higher and higher. Tom did not think long. He jumped into the boat, and the dog jumped in after him.

The waves were very big. Pip was scared, but he thought of the girl and went on. Up and down they went, up and down, until they came to the rock. "Give me your hand!" Tom called. The girl was cold and wet, and she was crying. The dog licked her face, and she had to laugh. Then they all went home together.

Her mother was waiting at the harbour. She hugged the girl and thanked Tom. "You are so brave," she said. Tom smiled. "It was not only me," he said. "It was my dog, who saw you first, and it was my boat, who was not too small." The next day the girl came back with a pot of red paint. She painted a big heart on the side of the boat. From that day on, when the big ships came into the harbour, they blew their horns for little Pip.
`;
