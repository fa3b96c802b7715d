// Layers of a Sterna graph for high-level synthesis: sparse convolutions without multipliers, and layers that move values.
//
// It is neutral of tools: values are ac_fixed or ap_fixed with integers alone, sums are the types that a layer's config
// names, and a stream is whatever has read() and write(). Each loop has the pragmas of Intel's compiler, Vitis and
// Catapult; a tool ignores those of the others. A config's members are described where they are used.
//
// A map is rows of pixels of channels (channels last). It comes whole, as an array, or pixel by pixel from a stream; then
// the last rows are kept in a line buffer.

#ifndef STERNA_H_
#define STERNA_H_

#include <cstddef>
#include <cstdint>

namespace sterna {

// ---- where values come from, and where they go --------------------------------------------------------------------

/// A map that is an array.
template <class Array, unsigned WIDTH, unsigned CHANNELS> struct WholeMap {
    const Array &values;

    explicit WholeMap(const Array &values) : values(values) {}

    int at(unsigned row, unsigned col, unsigned channel) const {
        return values[(row * WIDTH + col) * CHANNELS + channel].to_int();
    }
};

/// The last ROWS rows of a map that streams in; ROWS is a power of two, so that a row finds its place by its low bits.
template <class Value, unsigned ROWS, unsigned WIDTH, unsigned CHANNELS> struct LineBuffer {
    Value values[ROWS][WIDTH][CHANNELS];

    int at(unsigned row, unsigned col, unsigned channel) const { return values[row % ROWS][col][channel].to_int(); }

    template <class Stream> void read(unsigned row, Stream &stream) {
    ReadRow:
        for (unsigned col = 0; col < WIDTH; col++) {
#pragma HLS PIPELINE II = 1
#pragma hls_pipeline_init_interval 1
#pragma ii 1
            const auto pixel = stream.read();
        ReadPixel:
            for (unsigned channel = 0; channel < CHANNELS; channel++) {
#pragma HLS UNROLL
#pragma hls_unroll
#pragma unroll
                values[row % ROWS][col][channel] = pixel[channel];
            }
        }
    }
};

/// Gives the pixels of a map to an array, in order.
template <class Array, unsigned CHANNELS> struct WholeResult {
    Array &values;
    unsigned next;

    explicit WholeResult(Array &values) : values(values), next(0) {}

    template <class Value> void put(const Value *pixel) {
    PutPixel:
        for (unsigned channel = 0; channel < CHANNELS; channel++) {
#pragma HLS UNROLL
#pragma hls_unroll
#pragma unroll
            values[next + channel] = pixel[channel];
        }
        next += CHANNELS;
    }
};

/// Gives the pixels of a map to a stream of Pixel, in order.
template <class Pixel, class Stream, unsigned CHANNELS> struct StreamResult {
    Stream &stream;

    explicit StreamResult(Stream &stream) : stream(stream) {}

    template <class Value> void put(const Value *values) {
        Pixel pixel;
    PutPixel:
        for (unsigned channel = 0; channel < CHANNELS; channel++) {
#pragma HLS UNROLL
#pragma hls_unroll
#pragma unroll
            pixel[channel] = values[channel];
        }
        stream.write(pixel);
    }
};

// ---- sparse convolution -------------------------------------------------------------------------------------------

/// A term of a filter's sum, as a table holds it: `sum = (sum << shift) + digit * in[channel]` at a place of the kernel.
/// Terms of a filter come by falling significance (Horner's rule), so that a shift serves all terms before it.
struct Term {
    unsigned channel; // bits 15:0
    unsigned row;     // 18:16
    unsigned col;     // 21:19
    unsigned shift;   // 24:22
    bool adds;        // 25: clear in a term that shifts alone
    bool negative;    // 26: the digit is -1
    bool last;        // 27: of its filter

    explicit Term(uint32_t word)
        : channel(word & 0xffff), row(word >> 16 & 7), col(word >> 19 & 7), shift(word >> 22 & 7), adds(word >> 25 & 1),
          negative(word >> 26 & 1), last(word >> 27 & 1) {}
};

/// The value of a pixel that a kernel reads, or `pad` outside of the map.
template <class Config, class Source> int tap(const Source &in, unsigned y, unsigned x, const Term &term) {
    const int row = static_cast<int>(y * Config::stride + term.row) - static_cast<int>(Config::top);
    const int col = static_cast<int>(x * Config::stride + term.col) - static_cast<int>(Config::left);
    const bool inside = row >= 0 && row < static_cast<int>(Config::in_height) && col >= 0 && col < static_cast<int>(Config::in_width);
    return inside ? in.at(row, col, term.channel) : Config::pad;
}

/// An activation: `clamp((f(sum * M + B) + half) >> shift)`, f linear (0), ReLU (1) or leaky with slope 1/8 (2). With
/// half_even a sum that lies in the middle goes to the even activation, else up.
template <class Config> int requantise(typename Config::sum_t sum, unsigned filter) {
    typedef typename Config::wide_t wide_t;
    wide_t t = wide_t(sum) * wide_t(Config::multiplier(filter)) + wide_t(Config::bias(filter));
    bool exact = true;  // what the slope leaves of a sum is no tie, even if it looks like one when it is rounded down
    if (t < 0 && Config::activation != 0) {
        exact = Config::activation == 1 || (t & 7) == 0;
        t = Config::activation == 1 ? wide_t(0) : wide_t(t >> 3);
    }
    const wide_t half = Config::shift ? wide_t(wide_t(1) << (Config::shift ? Config::shift - 1 : 0)) : wide_t(0);
    wide_t y = wide_t(t + half) >> Config::shift;
    if (Config::half_even && Config::shift && exact && (y & 1) != 0 && wide_t(y << Config::shift) == wide_t(t + half)) {
        y = y - 1;
    }
    if (y < Config::low) {
        return Config::low;
    }
    return y > Config::high ? Config::high : y.to_int();
}

/// A row of the result; `lanes` neighbouring pixels share each term.
template <class Config, class Source, class Result> void conv_row(const Source &in, unsigned y, Result &out) {
Lanes:
    for (unsigned x = 0; x < Config::out_width; x += Config::lanes) {
        typename Config::sum_t sum[Config::lanes];
        typename Config::act_t pixels[Config::lanes][Config::filters];
        unsigned filter = 0;
    Clear:
        for (unsigned lane = 0; lane < Config::lanes; lane++) {
#pragma HLS UNROLL
#pragma hls_unroll
#pragma unroll
            sum[lane] = 0;
        }
    Terms:
        for (unsigned index = 0; index < Config::terms; index++) {
#pragma HLS PIPELINE II = 1
#pragma hls_pipeline_init_interval 1
#pragma ii 1
            const Term term(Config::term(index));
        Add:
            for (unsigned lane = 0; lane < Config::lanes; lane++) {
#pragma HLS UNROLL
#pragma hls_unroll
#pragma unroll
                // Lanes past the edge repeat the last pixel, and are not put.
                const unsigned col = x + lane < Config::out_width ? x + lane : Config::out_width - 1;
                const int value = term.adds ? tap<Config>(in, y, col, term) : 0;
                sum[lane] = (sum[lane] << term.shift) + (term.negative ? -value : value);
                if (term.last) {
                    pixels[lane][filter] = requantise<Config>(sum[lane], filter);
                    sum[lane] = 0;
                }
            }
            filter += term.last;
        }
    Put:
        for (unsigned lane = 0; lane < Config::lanes; lane++) {
            if (x + lane < Config::out_width) {
                out.put(pixels[lane]);
            }
        }
    }
}

// ---- layers that move values --------------------------------------------------------------------------------------

/// A row of the greatest values of kernel x kernel pixels; pixels outside of the map do not count.
template <class Config, class Source, class Result> void pool_row(const Source &in, unsigned y, Result &out) {
Pixels:
    for (unsigned x = 0; x < Config::out_width; x++) {
        typename Config::act_t pixel[Config::filters];
    Channels:
        for (unsigned channel = 0; channel < Config::filters; channel++) {
            int most = Config::low;
        Window:
            for (unsigned place = 0; place < Config::kernel * Config::kernel; place++) {
#pragma HLS UNROLL
#pragma hls_unroll
#pragma unroll
                const int row = static_cast<int>(y * Config::stride + place / Config::kernel) - static_cast<int>(Config::top);
                const int col = static_cast<int>(x * Config::stride + place % Config::kernel) - static_cast<int>(Config::left);
                if (row >= 0 && row < static_cast<int>(Config::in_height) && col >= 0 && col < static_cast<int>(Config::in_width)) {
                    const int value = in.at(row, col, channel);
                    most = value > most ? value : most;
                }
            }
            pixel[channel] = most;
        }
        out.put(pixel);
    }
}

/// A row of space to depth: the four phases of 2x2 pixels as groups of channels.
template <class Config, class Source, class Result> void reorg_row(const Source &in, unsigned y, Result &out) {
    const unsigned channels = Config::filters / 4;
Pixels:
    for (unsigned x = 0; x < Config::out_width; x++) {
        typename Config::act_t pixel[Config::filters];
    Channels:
        for (unsigned channel = 0; channel < Config::filters; channel++) {
            const unsigned phase = channel / channels;
            pixel[channel] = in.at(2 * y + phase / 2, 2 * x + phase % 2, channel % channels);
        }
        out.put(pixel);
    }
}

/// A row of activations of the image: its values looked up, or shifted to the width of activations.
template <class Config, class Source, class Result> void image_row(const Source &in, unsigned y, Result &out) {
Pixels:
    for (unsigned x = 0; x < Config::out_width; x++) {
        typename Config::act_t pixel[Config::filters];
    Channels:
        for (unsigned channel = 0; channel < Config::filters; channel++) {
            pixel[channel] = Config::activation(channel, in.at(y, x, channel));
        }
        out.put(pixel);
    }
}

// ---- layers of one map, whole and streamed ------------------------------------------------------------------------

struct Conv {
    template <class Config, class Source, class Result> static void row(const Source &in, unsigned y, Result &out) {
        conv_row<Config>(in, y, out);
    }
};

struct Pool {
    template <class Config, class Source, class Result> static void row(const Source &in, unsigned y, Result &out) {
        pool_row<Config>(in, y, out);
    }
};

struct Reorg {
    template <class Config, class Source, class Result> static void row(const Source &in, unsigned y, Result &out) {
        reorg_row<Config>(in, y, out);
    }
};

struct Image {
    template <class Config, class Source, class Result> static void row(const Source &in, unsigned y, Result &out) {
        image_row<Config>(in, y, out);
    }
};

template <class Kind, class Config, class In, class Out> void whole(const In &in, Out &out) {
    const WholeMap<In, Config::in_width, Config::channels> source(in);
    WholeResult<Out, Config::filters> result(out);
Rows:
    for (unsigned y = 0; y < Config::out_height; y++) {
        Kind::template row<Config>(source, y, result);
    }
}

/// A row of the result is made as soon as the last row that it needs is there.
template <class Kind, class Config, class InPixel, class OutPixel, class In, class Out> void streamed(In &in, Out &out) {
    LineBuffer<typename InPixel::value_type, Config::kept_rows, Config::in_width, Config::channels> rows;
    StreamResult<OutPixel, Out, Config::filters> result(out);
    unsigned y = 0;
Rows:
    for (unsigned row = 0; row < Config::in_height; row++) {
        rows.read(row, in);
        const bool is_last = row + 1 == Config::in_height;
        // What lies below the map is never read, so its last row serves all rows that are left.
        while (y < Config::out_height && (is_last || y * Config::stride + Config::kernel <= row + 1 + Config::top)) {
            Kind::template row<Config>(rows, y, result);
            y++;
        }
    }
}

// ---- the channels of several maps, one after the other ------------------------------------------------------------

template <unsigned PIXELS, unsigned CHANNELS, unsigned FROM, unsigned ALL, class In, class Out> void whole_part(const In &in, Out &out) {
Pixels:
    for (unsigned pixel = 0; pixel < PIXELS; pixel++) {
    Channels:
        for (unsigned channel = 0; channel < CHANNELS; channel++) {
            out[pixel * ALL + FROM + channel] = in[pixel * CHANNELS + channel];
        }
    }
}

template <unsigned CHANNELS, unsigned FROM, class In, class Pixel> void streamed_part(In &in, Pixel &out) {
    const auto part = in.read();
Channels:
    for (unsigned channel = 0; channel < CHANNELS; channel++) {
#pragma HLS UNROLL
#pragma hls_unroll
#pragma unroll
        out[FROM + channel] = part[channel];
    }
}

} // namespace sterna

#endif
