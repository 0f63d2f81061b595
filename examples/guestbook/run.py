"""Start the development server, from whatever folder this is called."""

from guestbook.__main__ import main

if __name__ == "__main__":
    main()
