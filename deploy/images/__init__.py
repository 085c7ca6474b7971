"""`make images-pin`: the digests of images, from a registry into the files that name them."""
